/** Polls by itself at the next deadline, while anybody listens. */

import { EventEmitter, on } from 'node:events';
import { inspect } from 'node:util';

import { wrongType } from './errors';
import type { Destination } from './destination';
import type { Dispatcher } from './dispatcher';
import type { Event } from './types';

/** What can be listened for: a kind of event, every `event`, or a `probe` to send. */
export type Subject = Event['kind'] | 'event' | 'probe';

/** What is called with an event, or with the destination to probe. */
export type Listener<S extends Subject> = (
  said: S extends 'probe' ? Destination : S extends 'event' ? Event : Extract<Event, { kind: S }>,
) => void;

/** @internal Polls a dispatcher while anybody listens. */
export class Watch {
  readonly #dispatcher: Dispatcher;
  readonly #clock: () => number;
  readonly #emitter = new EventEmitter();
  readonly #closed = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  /** When the timer runs out. */
  #at = Infinity;
  /** Those for whom the process is to live on. */
  #waiting = 0;

  constructor(dispatcher: Dispatcher, clock: () => number) {
    this.#dispatcher = dispatcher;
    this.#clock = clock;
    this.#emitter.setMaxListeners(0);
  }

  on<S extends Subject>(subject: S, listener: Listener<S>): void {
    this.#emitter.on(known(subject), listener as (said: unknown) => void);
    this.arm();
  }

  once<S extends Subject>(subject: S, listener: Listener<S>): void {
    this.#emitter.once(known(subject), listener as (said: unknown) => void);
    this.arm();
  }

  off<S extends Subject>(subject: S, listener: Listener<S>): void {
    this.#emitter.off(known(subject), listener as (said: unknown) => void);
    this.arm();
  }

  events(signal: AbortSignal | undefined): AsyncIterableIterator<Event> {
    const options = signal === undefined ? {} : { signal };
    const all = on(this.#emitter, 'event', options) as AsyncIterableIterator<[Event]>;
    this.arm();
    const closed = this.#closed.signal;
    const leave = (): void => void all.return?.();
    closed.addEventListener('abort', leave, { once: true });
    const iterator: AsyncIterableIterator<Event> = {
      async next() {
        const { done, value } = await all.next();
        return done ? { done: true, value: undefined } : { done: false, value: value[0] };
      },
      return: async () => {
        closed.removeEventListener('abort', leave);
        await all.return?.();
        this.arm();
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  /** Keeps the process alive until something was waited for. */
  async keepAlive<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    this.#timer?.ref();
    try {
      return await work();
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0) {
        this.#timer?.unref();
      }
    }
  }

  /** Sets the timer to the next deadline, if it is later than that. */
  arm(): void {
    if (this.#emitter.eventNames().length === 0) {
      this.#disarm();
      return;
    }
    const deadline = this.#dispatcher.nextDeadline();
    if (deadline === null || deadline >= this.#at) {
      return;
    }
    this.#set(deadline);
  }

  close(): void {
    this.#disarm();
    this.#closed.abort();
    this.#emitter.removeAllListeners();
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#at = Infinity;
  }

  #set(at: number): void {
    this.#disarm();
    this.#at = at;
    const wait = Math.min(Math.ceil(at - this.#clock()), LONGEST);
    this.#timer = setTimeout(() => this.#poll(), Math.max(wait, 0));
    // What is due already is said before the process ends.
    if (this.#waiting === 0 && wait > 0) {
      this.#timer.unref();
    }
  }

  #poll(): void {
    this.#disarm();
    const now = this.#clock();
    for (let event = this.#dispatcher.pollEvent(now); event !== null; event = this.#dispatcher.pollEvent(now)) {
      this.#emitter.emit(event.kind, event);
      this.#emitter.emit('event', event);
    }
    if (this.#emitter.listenerCount('probe') > 0) {
      for (let probe = this.#dispatcher.pollProbe(now); probe !== null; probe = this.#dispatcher.pollProbe(now)) {
        this.#emitter.emit('probe', probe);
      }
    } else if ((this.#dispatcher.nextDeadline() ?? Infinity) <= now) {
      // A probe that is due and that nobody sends hides the deadlines behind it.
      this.#set(now + IDLE);
      return;
    }
    this.arm();
  }
}

function known<S extends Subject>(subject: S): S {
  if (!SUBJECTS.includes(subject)) {
    throw wrongType(`subject is one of ${SUBJECTS.join(', ')}, not ${inspect(subject, { depth: 0 })}`);
  }
  return subject;
}

const SUBJECTS: readonly Subject[] = [
  'event',
  'probe',
  'added',
  'removed',
  'health',
  'busy',
  'ejected',
  'returned',
  'common_cause',
  'trust',
  'scale',
  'drained',
  'expired',
  'lost',
];

/** Milliseconds between polls where the next deadline says nothing. */
const IDLE = 1_000;
/** The longest time-out that Node knows. */
const LONGEST = 2 ** 31 - 1;
