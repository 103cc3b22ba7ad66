// Cuts what an event socket sends into frames: header lines, an empty line, and as many bytes of body
// as `Content-Length` says.

export class Frames {
  #left = Buffer.alloc(0);
  /** So far no end of the header was found. */
  #seen = 0;

  /** The frames that these bytes complete; the rest is kept for the next ones. */
  *take(bytes) {
    this.#left = this.#left.length ? Buffer.concat([this.#left, bytes]) : bytes;
    for (let frame = this.#next(); frame; frame = this.#next()) {
      yield frame;
    }
  }

  #next() {
    const end = this.#left.indexOf(END, this.#seen);
    if (end < 0) {
      if (this.#left.length > MAX_HEADER) {
        throw new Error(`a header has more than ${MAX_HEADER} bytes`);
      }
      // The end may lie across two pieces.
      this.#seen = Math.max(0, this.#left.length - END.length + 1);
      return undefined;
    }
    const headers = headersOf(this.#left.toString('utf8', 0, end));
    const length = lengthOf(headers);
    const start = end + END.length;
    if (this.#left.length < start + length) {
      this.#seen = end;
      return undefined;
    }
    const body = this.#left.toString('utf8', start, start + length);
    this.#left = this.#left.subarray(start + length);
    this.#seen = 0;
    return { headers, body };
  }
}

/** By name in lower case. */
function headersOf(text) {
  const headers = new Map();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) {
      headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
    }
  }
  return headers;
}

function lengthOf(headers) {
  const text = headers.get('content-length') ?? '0';
  const length = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(length <= MAX_BODY)) {
    throw new Error(`a Content-Length is 0 to ${MAX_BODY}, not ${JSON.stringify(text)}`);
  }
  return length;
}

const END = Buffer.from('\n\n');
const MAX_HEADER = 64 * 1024;
/** An event has some 10 KiB. */
const MAX_BODY = 4 * 1024 * 1024;
