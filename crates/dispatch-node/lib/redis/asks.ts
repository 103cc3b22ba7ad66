/** What other replicas are asked to do, and who has answered. */

import { CallsteerError, type Code } from '../errors';
import { type Engine, Lost, TIMEOUT } from './engine';

/** @internal The channel on which all replicas are asked. */
export const EVERYBODY = 'asks';

/** @internal Nobody has the name of a replica, or another process has it. */
export class Gone extends Error {}

/** @internal None of those that heard it has the call. */
export class Nobody extends Error {
  constructor(readonly heard: ReadonlySet<string | undefined>) {
    super();
  }
}

/** @internal What a replica answers. */
export interface Answer {
  readonly answer: string;
  readonly from?: string;
  readonly ok?: unknown;
  readonly no?: boolean;
  readonly gone?: boolean;
  readonly refused?: { readonly code: Code; readonly detail: string };
}

interface Asked {
  /** Who said that it has not the call. */
  readonly noes: (string | undefined)[];
  /** How many heard it; `undefined` until that is known. */
  count: number | undefined;
  readonly resolve: (said: Answer) => void;
  readonly reject: (why: Error) => void;
}

/** @internal Asks by number, until they are answered. */
export class Asks {
  readonly #open = new Map<string, Asked>();
  #count = 0;

  constructor(
    private readonly engine: Engine,
    private readonly name: string,
    private readonly epoch: number,
  ) {}

  /** Lets whoever has the call do it. Throws what is refused there, `Gone`, `Nobody`, `Lost`. */
  async ask(channel: string, what: object): Promise<unknown> {
    const number = `${this.epoch}-${++this.#count}`;
    let timer: NodeJS.Timeout | undefined;
    const answer = new Promise<Answer>((resolve, reject) => {
      this.#open.set(number, { noes: [], count: undefined, resolve, reject });
      timer = setTimeout(() => reject(new Lost('the other replica does not answer')), TIMEOUT);
    });
    // Nobody may be waiting yet when it is late.
    answer.catch(() => {});
    try {
      const count = await this.engine.publish(channel, { ask: number, from: this.name, ...what });
      if (count === 0 && channel !== EVERYBODY) {
        throw new Gone();
      }
      const asked = this.#open.get(number)!;
      asked.count = count;
      closeIfNobody(asked);
      const said = await answer;
      if (said.gone) {
        throw new Gone();
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
    asked.noes.push(said.from);
    closeIfNobody(asked);
  }

  /** Who asks everybody hears it too, if it listens. */
  hearOwn(ask: string): void {
    this.hear({ answer: ask, from: this.name, no: true });
  }
}

function closeIfNobody({ noes, count, reject }: Asked): void {
  if (noes.length === count) {
    reject(new Nobody(new Set(noes)));
  }
}

/** @internal */
export function noSuchCall(): CallsteerError {
  return new CallsteerError('no_such_call', 'the call has ended, or never was');
}
