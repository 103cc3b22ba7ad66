// Reports that only their bridge can have sent: docs/control-plane.md, "Signed reports".

import { createHmac, timingSafeEqual } from 'node:crypto';

import { Refusal } from './refusal.js';

/** Bytes that a key has at least: as many as SHA-256 gives. */
const MIN_KEY = 32;
/** Milliseconds that the clocks of a bridge and of the control plane may be apart, the way included. */
const MAX_SKEW = 300_000;

/**
 * HMAC-SHA256 of what of a request says which report it is. `at` is in milliseconds since the epoch of Unix, `target`
 * path and query as in the line of the request; `orca`, the header `endpoint-load-metrics`, may be undefined.
 */
function digest(key, at, { method, target, type, orca = '', body }) {
  const lines = ['v1', method, target, at, type, orca, ''].join('\n');
  return createHmac('sha256', key).update(lines, 'latin1').update(body).digest();
}

/** The value of the header. */
export const signature = (key, at, sent) => `t=${at},v1=${digest(key, at, sent).toString('hex')}`;

/** The keys of bridges by id, and when each last signed. */
export class ReportKeys {
  #keys;
  #last = new Map();

  /** `keys` is a Map. */
  constructor(keys) {
    this.#keys = keys;
  }

  has(id) {
    return this.#keys.has(id);
  }

  ids() {
    return [...this.#keys.keys()];
  }

  /** Refuses what this bridge did not sign, or signed before what it sent last. */
  check(id, header, sent, now = Date.now()) {
    if (header === undefined) {
      throw invalid(`reports of ${JSON.stringify(id)} need a header \`Callsteer-Signature\``);
    }
    const read = /^t=(\d{1,15}),v1=([0-9a-f]{64})$/.exec(header);
    if (!read) {
      throw invalid('`Callsteer-Signature` is `t=MILLISECONDS,v1=64 digits of hexadecimal`');
    }
    const at = Number(read[1]);
    if (!timingSafeEqual(Buffer.from(read[2], 'hex'), digest(this.#keys.get(id), at, sent))) {
      throw invalid("the signature is not that of this report by the bridge's key");
    }
    if (Math.abs(now - at) > MAX_SKEW) {
      const seconds = Math.round((now - at) / 1000);
      throw invalid(`was signed ${seconds} s ago; clocks may be ${MAX_SKEW / 1000} s apart`);
    }
    if (at <= (this.#last.get(id) ?? -1)) {
      throw new Refusal(409, 'replayed_report', `${JSON.stringify(id)} signed this report, or a later one, before`);
    }
    this.#last.set(id, at);
  }
}

/** Reads lines `ID KEY`, empty ones and comments (`#`). Throws an Error that says where. */
export function parseReportKeys(bytes) {
  const keys = new Map();
  const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  for (const [index, line] of text.split('\n').entries()) {
    const words = line.split(/[ \t\r]+/).filter(Boolean);
    if (words.length === 0 || words[0].startsWith('#')) {
      continue;
    }
    const [id, key] = words;
    const where = `line ${index + 1}`;
    if (words.length !== 2) {
      throw new Error(`${where}: is a bridge's id and its key`);
    }
    if (keys.has(id)) {
      throw new Error(`${where}: ${JSON.stringify(id)} stands there twice`);
    }
    if (Buffer.byteLength(key) < MIN_KEY) {
      throw new Error(`${where}: the key has ${Buffer.byteLength(key)} bytes, fewer than ${MIN_KEY}`);
    }
    keys.set(id, key);
  }
  return keys;
}

const invalid = (detail) => new Refusal(401, 'invalid_signature', detail, { 'www-authenticate': 'Callsteer-Signature' });
