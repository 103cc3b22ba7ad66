// The bytes of a request's body, and what is too many.

import { Refusal } from '../refusal.js';

/** Bytes beyond the limit that are read and forgotten: a client that still sends does not read the refusal. */
const PATIENCE = 16 * 1024 * 1024;

/** Reads a body of at most `limit` bytes. Rejects where it is larger, but listens to the end of it first. */
export async function readAll(stream, limit) {
  const pieces = [];
  const size = await count(stream, limit + PATIENCE, (piece, before) => {
    if (before + piece.length <= limit) {
      pieces.push(piece);
    }
  });
  if (size > limit) {
    throw new Refusal(413, 'too_large', `the body has more than ${limit} bytes`);
  }
  return Buffer.concat(pieces);
}

/** Reads a body that nobody wants, for a client that is still sending it. */
export const forget = (stream) => count(stream, PATIENCE, () => {});

/** Calls `take(piece, before)` up to the end, or until there are more than `most` bytes; gives how many there were. */
function count(stream, most, take) {
  return new Promise((resolve, reject) => {
    let size = 0;
    stream.on('data', (piece) => {
      take(piece, size);
      size += piece.length;
      if (size > most) {
        stream.removeAllListeners('data').pause();
        resolve(size);
      }
    });
    stream.on('end', () => resolve(size));
    stream.on('error', reject);
    stream.on('close', () => reject(new Refusal(400, 'invalid_request', 'the request has no end')));
  });
}
