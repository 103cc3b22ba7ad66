// Who may change something (docs/control-plane.md, "Who may").

import { createHash, timingSafeEqual } from 'node:crypto';
import { BlockList, isIP, isIPv6 } from 'node:net';

import { Refusal } from '../refusal.js';

/** Throws where a request that changes something may not. `token` is undefined where none was set. */
export function authorize({ headers, socket }, token) {
  if (token === undefined) {
    if (!isLoopback(socket.localAddress)) {
      throw unauthorized('the control plane was started without a token, and is used on a loopback address only');
    }
    if (headers.origin !== undefined && !isOwnPage(headers)) {
      throw unauthorized('another page needs a token, and the control plane was started without one');
    }
    return;
  }
  const given = /^bearer +([^ ]+) *$/i.exec(headers.authorization ?? '')?.[1];
  if (given === undefined || !isSame(given, token)) {
    throw unauthorized('`Authorization: Bearer TOKEN` is missing, or has another token');
  }
}

/** Whether only this machine reaches an address; names are none. */
export function isLoopback(address) {
  return isIP(address ?? '') > 0 && LOOPBACK.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** A name of its own could lead anywhere: a page of `evil.example` that resolves to 127.0.0.1 is not ours. */
function isOwnPage({ origin, host = '' }) {
  const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return origin === `http://${host}` && (name === 'localhost' || isLoopback(name));
}

/** Takes as long for any two texts of their lengths: digests are compared, which are equally long. */
function isSame(one, other) {
  const digest = (text) => createHash('sha256').update(text, 'latin1').digest();
  return timingSafeEqual(digest(one), digest(other));
}

const unauthorized = (detail) => new Refusal(401, 'unauthorized', detail, { 'www-authenticate': 'Bearer' });

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');
LOOPBACK.addSubnet('::ffff:127.0.0.0', 104, 'ipv6');
