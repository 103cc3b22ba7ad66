/** Places that this replica holds by leases of the engine: the arithmetic of `limits: 'leases'`. */

import type { Destination } from '../destination';
import type { Dispatcher } from '../dispatcher';

/**
 * @internal How many places are held per destination, and which of them calls stand on.
 *
 * A place is held from the moment the engine gives it. It is given back some time after its call ended:
 * what is held and not used is found by counting, so that no way of ending a call can forget one.
 */
export class Places {
  readonly held = new Map<string, number>();
  /** Where the engine had none since the last sign of life: it is not asked for every call. */
  readonly full = new Set<string>();
  readonly #asked = new Map<string, number>();
  #returning = 0;

  constructor(private readonly dispatcher: Dispatcher) {}

  /**
   * The engine is asked for the place of a call that the dispatcher counts already, or (-1) has answered: in
   * the same moment in which what it said is counted, so that nobody takes a place for spare in between.
   */
  ask(name: string, change: 1 | -1): void {
    add(this.#asked, name, change);
  }

  /** The engine is being told that a place is free: it is not held, nor found to be spare. */
  giveBack(destination: Destination): void {
    add(this.held, nameOf(destination), -1);
    this.#returning++;
  }

  /** The engine was told, or could not be. */
  givenBack(): void {
    this.#returning--;
  }

  /** Whether it is known what the engine made of all that it was asked and told. */
  get isSettled(): boolean {
    return this.#returning === 0 && this.#asked.size === 0;
  }

  /** Places that are held, and that no call stands on but those that ask. */
  spare(destination: Destination): number {
    const name = nameOf(destination);
    const calls = this.dispatcher.status(destination)?.calls ?? 0;
    return (this.held.get(name) ?? 0) - (calls - (this.#asked.get(name) ?? 0));
  }

  /** All that can be given back. More calls than places there are where a limit was set later. */
  spares(): [name: string, spare: number][] {
    return Array.from(this.held, ([name, held]): [string, number] => {
      const [set, id] = split(name);
      const destination = this.dispatcher.find(set, id);
      return [name, destination === null ? held : this.spare(destination)];
    }).filter(([, spare]) => spare > 0);
  }

  hold(name: string, change: number): void {
    add(this.held, name, change);
  }
}

/** @internal A destination across replicas, as keys spell it. */
export function nameOf(destination: { readonly set: number; readonly id: string }): string {
  return `${destination.set}:${destination.id}`;
}

function split(name: string): [set: number, id: string] {
  const colon = name.indexOf(':');
  return [Number(name.slice(0, colon)), name.slice(colon + 1)];
}

function add(counts: Map<string, number>, name: string, change: number): void {
  const count = (counts.get(name) ?? 0) + change;
  if (count === 0) {
    counts.delete(name);
  } else {
    counts.set(name, count);
  }
}
