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
  | 'stale_plan'
  | 'invalid_delta'
  | 'damaged_snapshot'
  | 'snapshot_version'
  | 'inconsistent_snapshot';

/** The code of everything that can be wrong with a line of a dispatcher.list, with its meaning. */
export const LIST_CODES: Readonly<Record<ListCode, string>> = Object.freeze(
  native.listCodes() as Record<ListCode, string>,
);

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
  /** What was refused and why: one of {@link CODES} or, for a line of a list, of {@link LIST_CODES}. */
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

  /** As the library makes it; a program needs this only for its own tests. */
  constructor(code: Code | ListCode, message: string, details: ErrorDetails = {}) {
    super(message);
    this.code = code;
    for (const [name, value] of Object.entries(details)) {
      if (value !== null) {
        Object.defineProperty(this, name, { value, enumerable: true });
      }
    }
  }
}

/** What else a {@link CallsteerError} says. */
export type ErrorDetails = Partial<
  Pick<CallsteerError, 'status' | 'retryAfterMs' | 'retryAfterSeconds' | 'line' | 'column'>
>;

/** @internal A `TypeError` with Node's code. */
export function wrongType(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_TYPE' });
}

/** @internal A `RangeError` with Node's code. */
export function outOfRange(message: string): RangeError {
  return Object.assign(new RangeError(message), { code: 'ERR_OUT_OF_RANGE' });
}

/** @internal A dispatcher is not there any more. */
export function disposed(): Error {
  return Object.assign(new Error('the dispatcher has been disposed of'), { code: 'ERR_DISPOSED' });
}

native.setErrorFactory((code, message, details) => {
  switch (code) {
    case 'ERR_INVALID_ARG_TYPE':
      return wrongType(message);
    case 'ERR_OUT_OF_RANGE':
      return outOfRange(message);
    case 'ERR_DISPOSED':
      return disposed();
    case 'ERR_BUSY':
    case 'ERR_INTERNAL':
      return Object.assign(new Error(message), { code });
    default: {
      // `at`: where in an argument something has not the shape that it must have, in names of the core.
      const { at, ...said } = (details ?? {}) as ErrorDetails & { at?: string };
      return new CallsteerError(code as Code, unfit(message, at), said);
    }
  }
});

/** A message of the core about a field, with the names of fields that JavaScript uses. */
function unfit(message: string, at: string | undefined): string {
  if (at === undefined) {
    return message;
  }
  const isAboutNames = /^(unknown|missing|duplicate) field/.test(message);
  const said = isAboutNames ? message.replace(/`[a-z_]+`/g, inCamelCase) : message;
  return at === '' ? said : `${inCamelCase(at)}: ${said}`;
}

function inCamelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
