/** A call that ends with its scope. */

import type { Destination } from './destination';
import type { Dispatcher } from './dispatcher';
import type { Blame, Failure, Lease, Placed } from './types';

/**
 * A call in progress, as `dispatcher.call` begins it. It ends with its scope (`using`, `await using`), by
 * `end`, or by its deadline; ending it twice does no harm.
 */
export class ActiveCall implements Placed {
  readonly #dispatcher: Dispatcher;
  #placed: Placed;

  private constructor(dispatcher: Dispatcher, placed: Placed) {
    this.#dispatcher = dispatcher;
    this.#placed = placed;
  }

  /** @internal A call that was placed. */
  static from(dispatcher: Dispatcher, placed: Placed): ActiveCall {
    return new ActiveCall(dispatcher, placed);
  }

  /** The call's handle. */
  get lease(): Lease {
    return this.#placed.lease;
  }

  /** Where it is. */
  get destination(): Destination {
    return this.#placed.destination;
  }

  /** Whether health was ignored when it was placed. */
  get panic(): boolean {
    return this.#placed.panic;
  }

  /** As `Dispatcher.confirm`. */
  confirm(now?: number): void {
    this.#dispatcher.confirm(this.lease, now);
  }

  /** As `Dispatcher.fail`. */
  fail(failure: Failure, now?: number): Blame {
    return this.#dispatcher.fail(this.lease, failure, now);
  }

  /** As `Dispatcher.next`; gives the destination that the call has from now on. */
  next(now?: number): Destination {
    this.#placed = this.#dispatcher.next(this.lease, now);
    return this.#placed.destination;
  }

  /** As `Dispatcher.end`. */
  end(now?: number): boolean {
    return this.#dispatcher.end(this.lease, now);
  }

  /** Ends the call. */
  [Symbol.dispose](): void {
    this.end();
  }

  /** Ends the call. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.end();
  }
}
