/** What can be refused, and how it is said. */
/** The code of every refusal of the library, the same in every language, with its meaning. */
export declare const CODES: Readonly<Record<Code, string>>;
/** The code of a refusal. */
export type Code = 'invalid_config' | 'invalid_destination' | 'invalid_call' | 'invalid_reply' | 'invalid_report' | 'unreadable_report' | 'incomplete_report' | 'late_report' | 'duplicate_report' | 'future_report' | 'full' | 'all_down' | 'no_such_set' | 'tenant_full' | 'too_fast' | 'no_such_call' | 'exhausted' | 'no_such_destination' | 'duplicate' | 'too_many' | 'id_changed' | 'stale_plan' | 'invalid_delta' | 'damaged_snapshot' | 'snapshot_version' | 'inconsistent_snapshot';
/** The code of everything that can be wrong with a line of a dispatcher.list, with its meaning. */
export declare const LIST_CODES: Readonly<Record<ListCode, string>>;
/** What is wrong with a line of a dispatcher.list. */
export type ListCode = 'byte_order_mark' | 'line_too_long' | 'not_utf8' | 'invisible_character' | 'missing_set' | 'invalid_set' | 'missing_uri' | 'invalid_uri' | 'invalid_flags' | 'invalid_priority' | 'invalid_attribute' | 'repeated_attribute' | 'trailing_text' | 'duplicate';
/**
 * A command that was refused: it changed nothing.
 *
 * An argument that is none at all (another type, `NaN` for a lease) is a `TypeError` or a `RangeError`
 * with Node's codes `ERR_INVALID_ARG_TYPE` and `ERR_OUT_OF_RANGE` instead.
 */
export declare class CallsteerError extends Error {
    readonly name: string;
    /** What was refused and why: one of {@link CODES} or, for a line of a list, of {@link LIST_CODES}. */
    readonly code: Code | ListCode;
    /** The SIP status to answer the caller with, where a call was refused. */
    readonly status?: number;
    /** After how many milliseconds the caller may try again, where that is known. */
    readonly retryAfterMs?: number;
    /** The same in whole seconds, for a header `Retry-After`. */
    readonly retryAfterSeconds?: number;
    /** The line of the file that cannot be read, from 1. */
    readonly line?: number;
    /** The character of that line, from 1. */
    readonly column?: number;
    /** As the library makes it; a program needs this only for its own tests. */
    constructor(code: Code | ListCode, message: string, details?: ErrorDetails);
}
/** What else a {@link CallsteerError} says. */
export type ErrorDetails = Partial<Pick<CallsteerError, 'status' | 'retryAfterMs' | 'retryAfterSeconds' | 'line' | 'column'>>;
