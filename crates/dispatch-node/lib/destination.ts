/** A destination of a dispatcher. */

import { inspect } from 'node:util';

import { wrongType } from './errors';
import type { Description } from './types';

/**
 * A destination of a dispatcher: frozen, and the same object for as long as it is described as it is, so
 * that calls placed there cost no new object. After an update there is another one; the old one still
 * names the destination.
 */
export class Destination implements Required<Description> {
  /** Its set. */
  readonly set: number;
  /** What identifies it in its set. */
  readonly id: string;
  /** Where calls are sent. */
  readonly uri: string;
  /** Share of the calls; also the capacity that loads are compared by. */
  readonly weight: number;
  /** Concurrent calls at most; 0 is no limit. */
  readonly maxCalls: number;
  /** New calls per second at most; 0 is no limit. */
  readonly maxRate: number;
  /** The higher, the earlier `priority` chooses it. */
  readonly priority: number;
  /** Whether it is probed, whatever the probing mode says. */
  readonly probing: 'by_mode' | 'flagged' | 'never';
  /** The state in which it joined. */
  readonly starts: 'active' | 'trying' | 'inactive' | 'disabled';
  /** Whatever else its owner wants to find again. */
  readonly attrs: { readonly [name: string]: string };

  readonly #key: number;
  readonly #owner: object;

  private constructor(said: Record<string, unknown>, owner: object) {
    const { key, set, id, uri, weight, maxCalls, maxRate, priority, probing, starts, attrs } = said as never as Said;
    this.#key = key;
    this.#owner = owner;
    this.set = set;
    this.id = id;
    this.uri = uri;
    this.weight = weight;
    this.maxCalls = maxCalls;
    this.maxRate = maxRate;
    this.priority = priority;
    this.probing = probing;
    this.starts = starts;
    this.attrs = Object.freeze(attrs);
    Object.freeze(this);
  }

  /** @internal A destination as the native part describes it. */
  static from(said: Record<string, unknown>, owner: object): Destination {
    return new Destination(said, owner);
  }

  /** @internal Whether this is the destination with this key. */
  static is(destination: Destination, key: number): boolean {
    return destination.#key === key;
  }

  /** @internal The key of a destination, if it is one of this owner's. */
  static key(destination: Destination, owner: object): number {
    if (typeof destination !== 'object' || destination === null || !(#key in destination)) {
      throw wrongType(
        `destination is a Destination, as add, find and begin give one, not ${inspect(destination, { depth: 0 })}`,
      );
    }
    if (destination.#owner !== owner) {
      throw wrongType(`destination ${JSON.stringify(destination.id)} is one of another dispatcher`);
    }
    return destination.#key;
  }
}

interface Said extends Required<Description> {
  readonly key: number;
  readonly set: number;
}
