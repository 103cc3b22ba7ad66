/** Calls that wait for room, in the order in which they came. */

import { CallsteerError } from './errors';
import type { Call, Placed } from './types';

/** @internal The calls of one dispatcher that wait. */
export class Waiting {
  readonly #begin: (call: string | Uint8Array | Call) => Placed;
  /** One line per set and tenant, so that nobody waits behind a call that waits for something else. */
  readonly #lines = new Map<string, Line>();

  constructor(begin: (call: string | Uint8Array | Call) => Placed) {
    this.#begin = begin;
  }

  /** Begins a call as soon as it is its turn and there is room. */
  enter(call: string | Uint8Array | Call, signal: AbortSignal | undefined): Promise<Placed> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const { set, tenant } = typeof call === 'string' ? ({} as Partial<Call>) : (call as Partial<Call>);
      const name = JSON.stringify([set, tenant]);
      const line: Line = this.#lines.get(name) ?? { name, waiters: new Set(), timer: undefined };
      const aborted = (): void => {
        line.waiters.delete(waiter);
        this.#serve(line);
        reject(signal?.reason);
      };
      const leave = (): void => {
        line.waiters.delete(waiter);
        signal?.removeEventListener('abort', aborted);
      };
      const waiter: Waiter = {
        call,
        placed: (placed) => (leave(), resolve(placed)),
        refused: (error) => (leave(), reject(error)),
      };
      signal?.addEventListener('abort', aborted, { once: true });
      line.waiters.add(waiter);
      this.#lines.set(name, line);
      if (line.waiters.size === 1) {
        this.#serve(line);
      }
    });
  }

  /** There may be room now. */
  room(): void {
    for (const line of [...this.#lines.values()]) {
      this.#serve(line);
    }
  }

  /** Refuses everybody who waits. */
  close(error: Error): void {
    for (const line of this.#lines.values()) {
      clearTimeout(line.timer);
      line.waiters.forEach((waiter) => waiter.refused(error));
    }
    this.#lines.clear();
  }

  /** Begins calls from the head of the line, until one has to wait. */
  #serve(line: Line): void {
    clearTimeout(line.timer);
    for (const waiter of line.waiters) {
      try {
        waiter.placed(this.#begin(waiter.call));
      } catch (error) {
        if (error instanceof CallsteerError && error.retryAfterMs !== undefined) {
          line.timer = setTimeout(() => this.#serve(line), error.retryAfterMs);
          return;
        }
        waiter.refused(error);
      }
    }
    this.#lines.delete(line.name);
  }
}

interface Line {
  readonly name: string;
  readonly waiters: Set<Waiter>;
  timer: NodeJS.Timeout | undefined;
}

interface Waiter {
  readonly call: string | Uint8Array | Call;
  readonly placed: (placed: Placed) => void;
  readonly refused: (error: unknown) => void;
}
