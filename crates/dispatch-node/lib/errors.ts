/** What can be refused, and how it is said. */

import { native } from './native';

/** The code of every refusal of the library, the same in every language, with its meaning. */
export const CODES: Readonly<Record<Code, string>> = Object.freeze(native.codes() as Record<Code, string>);

/** The code of a refusal. */
export type Code =
  | 'invalid_config'
  | 'invalid_destination'
  | 'invalid_call'
  | 'invalid_reply'
  | 'invalid_report'
  | 'unreadable_report'
  | 'incomplete_report'
  | 'late_report'
  | 'duplicate_report'
  | 'future_report'
  | 'full'
  | 'all_down'
  | 'no_such_set'
  | 'tenant_full'
  | 'too_fast'
  | 'no_such_call'
  | 'exhausted'
  | 'no_such_destination'
  | 'duplicate'
  | 'too_many'
  | 'id_changed'
  | 'stale_plan';

/** What is wrong with a line of a dispatcher.list. */
export type ListCode =
  | 'byte_order_mark'
  | 'line_too_long'
  | 'not_utf8'
  | 'invisible_character'
  | 'missing_set'
  | 'invalid_set'
  | 'missing_uri'
  | 'invalid_uri'
  | 'invalid_flags'
  | 'invalid_priority'
  | 'invalid_attribute'
  | 'repeated_attribute'
  | 'trailing_text'
  | 'duplicate';

/**
 * A command that was refused: it changed nothing.
 *
 * An argument that is none at all (another type, `NaN` for a lease) is a `TypeError` or a `RangeError`
 * with Node's codes `ERR_INVALID_ARG_TYPE` and `ERR_OUT_OF_RANGE` instead.
 */
export class CallsteerError extends Error {
  override readonly name: string = 'CallsteerError';
  /** What was refused and why; {@link CODES} has them all. */
  readonly code: Code | ListCode;
  /** The SIP status to answer the caller with, where a call was refused. */
  declare readonly status?: number;
  /** After how many milliseconds the caller may try again, where that is known. */
  declare readonly retryAfterMs?: number;
  /** The same in whole seconds, for a header `Retry-After`. */
  declare readonly retryAfterSeconds?: number;
  /** The line of the file that cannot be read, from 1. */
  declare readonly line?: number;
  /** The character of that line, from 1. */
  declare readonly column?: number;

  /** @internal */
  constructor(code: Code | ListCode, message: string, details: Details = {}) {
    super(message);
    this.code = code;
    for (const [name, value] of Object.entries(details)) {
      if (value !== null && name !== 'unfit') {
        Object.defineProperty(this, name, { value, enumerable: true });
      }
    }
  }
}

interface Details {
  readonly status?: number | null;
  readonly retryAfterMs?: number | null;
  readonly retryAfterSeconds?: number | null;
  readonly line?: number | null;
  readonly column?: number | null;
  /** The message names fields as the core does. */
  readonly unfit?: boolean;
}

/** @internal A `TypeError` with Node's code. */
export function wrongType(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_TYPE' });
}

/** @internal A `RangeError` with Node's code. */
export function outOfRange(message: string): RangeError {
  return Object.assign(new RangeError(message), { code: 'ERR_OUT_OF_RANGE' });
}

native.setErrorFactory((code, message, details) => {
  switch (code) {
    case 'ERR_INVALID_ARG_TYPE':
      return wrongType(message);
    case 'ERR_OUT_OF_RANGE':
      return outOfRange(message);
    case 'ERR_DISPOSED':
    case 'ERR_BUSY':
    case 'ERR_INTERNAL':
      return Object.assign(new Error(message), { code });
    default: {
      const said = details as Details | null;
      return new CallsteerError(code as Code, said?.unfit ? inCamelCase(message) : message, said ?? {});
    }
  }
});

/** A message of the core about a field, with the names of fields that JavaScript uses. */
function inCamelCase(message: string): string {
  if (!/^(unknown|missing|duplicate) field/.test(message)) {
    return message;
  }
  return message.replace(/`[a-z_]+`/g, (name) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()));
}
