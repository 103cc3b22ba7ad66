/** What other replicas are asked to do, and who has answered. */

import { CallsteerError, type Code } from '../errors';
import { type Engine, Lost, TIMEOUT } from './engine';

/** @internal The channel on which all replicas are asked. */
export const EVERYBODY = 'asks';

/** @internal Nobody has the name of a replica, or another process has it. */
export class Gone extends Error {}

/** @internal What a replica answers. */
export interface Answer {
  readonly answer: string;
  readonly ok?: unknown;
  readonly no?: boolean;
  readonly gone?: boolean;
  readonly refused?: { readonly code: Code; readonly detail: string };
}

interface Asked {
  noes: number;
  /** How many were asked; `undefined` until that is known. */
  of: number | undefined;
  resolve: (said: Answer) => void;
}

/** @internal Asks by number, until they are answered. */
export class Asks {
  /** How many others everybody was, the last time that all were asked. */
  heard = 0;
  readonly #open = new Map<string, Asked>();
  #count = 0;

  constructor(
    private readonly engine: Engine,
    private readonly name: string,
    private readonly epoch: number,
  ) {}

  /** Lets whoever has the call do it. Throws what is refused there, `Gone`, `Lost`. */
  async ask(channel: string, what: object): Promise<unknown> {
    const number = `${this.epoch}-${++this.#count}`;
    let timer: NodeJS.Timeout | undefined;
    const answer = new Promise<Answer>((resolve, reject) => {
      this.#open.set(number, { noes: 0, of: undefined, resolve });
      timer = setTimeout(() => reject(new Lost('the other replica does not answer')), TIMEOUT);
    });
    // Nobody may be waiting yet when it is late.
    answer.catch(() => {});
    try {
      const heard = await this.engine.publish(channel, { ask: number, from: this.name, ...what });
      // We are among everybody.
      const others = heard - (channel === EVERYBODY ? 1 : 0);
      if (channel === EVERYBODY) {
        this.heard = others;
      }
      if (others <= 0) {
        throw channel === EVERYBODY ? noSuchCall() : new Gone();
      }
      this.#close(number, others);
      const said = await answer;
      if (said.gone) {
        throw new Gone();
      }
      if (said.no) {
        throw noSuchCall();
      }
      if (said.refused) {
        throw new CallsteerError(said.refused.code, said.refused.detail);
      }
      return said.ok ?? null;
    } finally {
      clearTimeout(timer);
      this.#open.delete(number);
    }
  }

  /** Takes an answer. One that has the call is enough; that nobody has it, all must say. */
  hear(said: Answer): void {
    const asked = this.#open.get(said.answer);
    if (asked === undefined) {
      return;
    }
    if (!said.no) {
      asked.resolve(said);
      return;
    }
    asked.noes++;
    this.#close(said.answer, asked.of);
  }

  #close(number: string, of: number | undefined): void {
    const asked = this.#open.get(number);
    if (asked === undefined) {
      return;
    }
    asked.of = of;
    if (asked.noes === of) {
      asked.resolve({ answer: number, no: true });
    }
  }
}

/** @internal */
export function noSuchCall(): CallsteerError {
  return new CallsteerError('no_such_call', 'the call has ended, or never was');
}
