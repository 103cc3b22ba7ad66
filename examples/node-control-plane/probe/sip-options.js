// A SIP OPTIONS (RFC 3261, 11) as a non-INVITE client transaction (17.1.2), over UDP, TCP or TLS.

import { randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import net from 'node:net';
import { addAbortSignal } from 'node:stream';
import tls from 'node:tls';

import { requestUri, target } from './sip-uri.js';

/** RFC 3261, 17.1.2.2, in ms: UDP may lose a request, so it is sent again, for 64 T1 in all. */
const T1 = 500;
const T2 = 4000;

/**
 * Asks a SIP URI once: `{ reply, retryAfter }`, the status of the final reply and its Retry-After in
 * seconds or undefined. Rejects where nobody answers, and as soon as the signal is aborted.
 */
export async function sipOptions(uri, { signal, t1 = T1 }) {
  const { transport, host, port } = target(uri);
  const until = AbortSignal.any([signal, AbortSignal.timeout(64 * t1)]);
  const { address, family } = await lookup(host);
  const ask = transport === 'udp' ? overUdp : overStream;
  return ask({ uri, transport, host, address, family, port, t1, signal: until });
}

/** Connected, so that others cannot answer, and ICMP's "nobody listens there" is heard at once. */
async function overUdp({ uri, address, family, port, t1, signal }) {
  const socket = dgram.createSocket(family === 6 ? 'udp6' : 'udp4');
  let timer;
  try {
    socket.connect(port, address);
    await once(socket, 'connect', { signal });
    const options = request(uri, 'udp', socket.address());
    const send = (pause) => {
      socket.send(options.text);
      timer = setTimeout(() => send(Math.min(pause * 2, T2)), pause);
    };
    send(t1);
    for (;;) {
      const [message] = await once(socket, 'message', { signal });
      const answer = final(message.toString('latin1'), options);
      if (answer) {
        return answer;
      }
    }
  } finally {
    clearTimeout(timer);
    // An error that comes after the end has nobody left to hear it.
    socket.on('error', () => {});
    socket.close();
  }
}

async function overStream({ uri, transport, host, address, port, signal }) {
  const isTls = transport === 'tls';
  const servername = net.isIP(host) ? '' : host;
  const socket = addAbortSignal(signal, isTls ? tls.connect({ host: address, port, servername }) : net.connect(port, address));
  try {
    await once(socket, isTls ? 'secureConnect' : 'connect');
    const options = request(uri, transport, { address: socket.localAddress, port: socket.localPort });
    socket.write(options.text);
    let received = '';
    for await (const bytes of socket) {
      received += bytes.toString('latin1');
      for (let end = received.indexOf(END); end >= 0; end = received.indexOf(END)) {
        const head = received.slice(0, end);
        const answer = final(head, options);
        if (answer) {
          return answer;
        }
        received = received.slice(end + END.length + (leadingNumber(field(head, 'Content-Length|l')) ?? 0));
      }
      if (received.length > MOST) {
        throw new Error('the reply has no end');
      }
    }
    throw new Error('the connection was closed without a reply');
  } finally {
    socket.on('error', () => {});
    socket.destroy();
  }
}

function request(uri, transport, { address, port }) {
  const host = net.isIPv6(address) ? `[${address}]` : address;
  const branch = `z9hG4bK${randomBytes(8).toString('hex')}`;
  const callId = randomBytes(12).toString('hex');
  const text = [
    `OPTIONS ${requestUri(uri)} SIP/2.0`,
    `Via: SIP/2.0/${transport.toUpperCase()} ${host}:${port};branch=${branch};rport`,
    'Max-Forwards: 70',
    `From: <sip:callsteer@${host}:${port}>;tag=${randomBytes(4).toString('hex')}`,
    `To: <${requestUri(uri)}>`,
    `Call-ID: ${callId}`,
    'CSeq: 1 OPTIONS',
    `Contact: <sip:callsteer@${host}:${port};transport=${transport}>`,
    'Accept: application/sdp',
    'User-Agent: callsteer',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
  return { text, branch, callId };
}

/** What a message says, if it is the final reply to this request (RFC 3261, 17.1.3). */
function final(message, { branch, callId }) {
  const [head] = message.split(END, 1);
  const status = Number(/^SIP\/2\.0 ([2-6]\d\d)(?: |\r|$)/i.exec(head)?.[1]);
  const isOurs = branchOf(field(head, 'Via|v') ?? '') === branch && field(head, 'Call-ID|i') === callId;
  return status && isOurs ? { reply: status, retryAfter: leadingNumber(field(head, 'Retry-After')) } : undefined;
}

/** The first header field of this name, unfolded. */
const field = (head, name) =>
  new RegExp(`^(?:${name})[ \\t]*:[ \\t]*(.*)$`, 'im').exec(head.replace(/\r\n[ \t]+/g, ' '))?.[1].trim();

/** Of the topmost Via. */
const branchOf = (via) => /;\s*branch\s*=\s*([^;,\s]+)/i.exec(via.split(',', 1)[0])?.[1];

/** `120 (in a meeting);duration=3600` is 120. */
const leadingNumber = (text) => {
  const digits = /^\d{1,9}/.exec(text ?? '')?.[0];
  return digits === undefined ? undefined : Number(digits);
};

const END = '\r\n\r\n';
/** A reply to OPTIONS with its SDP has some 2 KiB. */
const MOST = 64 * 1024;
