/** A call that ends with its scope. */
import type { Destination } from './destination';
import type { Blame, Failure, Lease, Placed } from './types';
/**
 * A call in progress, as `dispatcher.call` begins it. It ends with its scope (`using`, `await using`), by
 * `end`, or by its deadline; ending it twice does no harm.
 */
export declare class ActiveCall implements Placed {
    #private;
    private constructor();
    /** The call's handle. */
    get lease(): Lease;
    /** Where it is. */
    get destination(): Destination;
    /** Whether health was ignored when it was placed. */
    get panic(): boolean;
    /** As `Dispatcher.confirm`. */
    confirm(now?: number): void;
    /** As `Dispatcher.fail`. */
    fail(failure: Failure, now?: number): Blame;
    /** As `Dispatcher.next`; gives the destination that the call has from now on. */
    next(now?: number): Destination;
    /** As `Dispatcher.end`. */
    end(now?: number): boolean;
    /** Ends the call. */
    [Symbol.dispose](): void;
    /** Ends the call. */
    [Symbol.asyncDispose](): Promise<void>;
}
