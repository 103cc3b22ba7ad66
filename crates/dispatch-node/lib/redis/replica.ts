/** One dispatcher among several: signs of life, deltas, places, and calls that others placed. */

import type { Destination } from '../destination';
import type { Dispatcher } from '../dispatcher';
import { CallsteerError } from '../errors';
import type { Blame, Call, Placed } from '../types';
import { type Answer, Asks, EVERYBODY, Gone, Nobody, noSuchCall } from './asks';
import { Engine, type Known, LONGEST_WAIT, Lost } from './engine';
import { Places, nameOf } from './places';

/** From one delta to the next, in ms: what one replica does the others know so much later. */
const INTERVAL = 200;
/** Every so many deltas one has everything: what was lost on its way is known then. */
const FULL_EVERY = 5;
/** For so long an engine that forgot its places gives none, unless all replicas have said what they hold. */
const SETTLING = 10_000;

/** A call is not here, and the engine or the replica that has it is not reached: try again soon. */
export class NoEngine extends Error {
  readonly code = 'no_engine';
}

/** Where a call is, and which replica has it. */
export interface Elsewhere {
  readonly replica: string;
  readonly lease: number;
  readonly set: number;
  readonly id: string;
  readonly uri: string;
}

/** What can be said of a {@link Replica}. */
export interface ReplicaOptions {
  /** What all keys and channels begin with, one per fleet; `callsteer` if not given. */
  readonly namespace?: string;
  /** From one delta to the next. */
  readonly interval?: number;
  /** Is given what another replica told by `tell`. */
  readonly onTold?: (said: Record<string, unknown>) => void;
  /** Is told when the engine is lost, with why, and when it is reached again. */
  readonly onEngine?: (isReached: boolean, why: string) => void;
}

interface What {
  readonly op: 'show' | 'confirm' | 'fail' | 'end';
  readonly call_id: string;
  readonly reply?: number | 'timeout' | 'unreachable';
  /** In seconds, as everything on the wire. */
  readonly retry_after?: number;
}

/**
 * Shares what a dispatcher knows with the others, from `start` to `stop`. The dispatcher has the option
 * `replicas`. While the engine is lost each goes on alone, by its share or on the places that it holds, and
 * `metrics()` says so.
 *
 * @example
 * ```js
 * const dispatcher = new Dispatcher({ dispatchers: 4, replicas: { id: 'host-1', epoch: Date.now() } });
 * const replica = new Replica(dispatcher, 'redis://10.0.0.9:6379/0');
 * replica.start();
 * const placed = await replica.begin({ callId: 'a84b4c76e66710@pc33' });
 * await replica.end('a84b4c76e66710@pc33'); // also where another replica placed it
 * ```
 */
export class Replica {
  readonly id: string;
  readonly epoch: number;
  readonly isStrict: boolean;
  /** How often what happened; `metrics()` says what they mean. */
  readonly counts: Record<keyof typeof COUNTS, number>;
  isConnected = false;
  readonly #dispatcher: Dispatcher;
  readonly #engine: Engine;
  readonly #asks: Asks;
  readonly #places: Places;
  readonly #field: string;
  readonly #interval: number;
  readonly #onTold: (said: Record<string, unknown>) => void;
  readonly #onEngine: (isReached: boolean, why: string) => void;
  readonly #lostAfter: number;
  /** How long a call can last, in ms. */
  readonly #stays: number;
  readonly #replicas: number;
  readonly #retryAfter: number;
  readonly #placing = new Map<string, Promise<Placed | Elsewhere>>();
  /** Records of calls that were placed while the engine was lost. */
  readonly #unclaimed = new Map<string, string>();
  /** Calls that are just being taken over. */
  readonly #taking = new Map<string, Promise<void>>();
  /** Records of calls that were taken over, perhaps: the engine was lost meanwhile. */
  readonly #uncertain = new Map<string, string>();
  /** What was missed, and is done by now: the engine need not say it again. */
  #caughtUp: readonly string[] = [];
  /** Calls that ended here while nobody could be told: others may have taken them over. */
  readonly #unfinished = new Set<string>();
  /** Since when the engine knows the places held here; `null`: it must be told. */
  #opened: string | null = null;
  #aloneSince: number | null = null;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  /** `url` is `redis://`, `rediss://` (TLS) or `unix://`, with user and password for an ACL. */
  constructor(dispatcher: Dispatcher, url: string, options: ReplicaOptions = {}) {
    const { dispatchers, replicas, setupTimeout, maxDuration, retryAfter } = dispatcher.config();
    if (!replicas) {
      throw new CallsteerError('invalid_config', 'replicas: must be there where anything is shared');
    }
    this.id = replicas.id;
    this.epoch = Number(replicas.epoch);
    this.isStrict = replicas.limits === 'leases';
    this.#dispatcher = dispatcher;
    this.#engine = new Engine(url, options.namespace ?? 'callsteer');
    this.#asks = new Asks(this.#engine, this.id, this.epoch);
    this.#places = new Places(dispatcher);
    this.#field = `${this.id}@${this.epoch}`;
    this.#interval = options.interval ?? INTERVAL;
    this.#onTold = options.onTold ?? (() => {});
    this.#onEngine = options.onEngine ?? (() => {});
    this.#lostAfter = Math.round(replicas.lostAfter!);
    this.#stays = Math.round(setupTimeout! + maxDuration!);
    this.#replicas = dispatchers!;
    this.#retryAfter = retryAfter!;
    this.counts = Object.fromEntries(Object.keys(COUNTS).map((name) => [name, 0])) as Record<keyof typeof COUNTS, number>;
  }

  start(): void {
    this.#engine.open(['deltas', 'told', EVERYBODY, `to:${this.id}`], (channel, text) => this.#hear(channel, text));
    void this.#beats(0, 0);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#engine.close();
  }

  // Calls

  /**
   * Places a call, as `Dispatcher.begin`. Where places are leased it asks the engine for one, and moves on
   * while there is none; else it waits for nobody. {@link Elsewhere} where another replica has it.
   *
   * @throws CallsteerError as `Dispatcher.begin`
   */
  async begin(call: Call & { readonly callId: string }): Promise<Placed | Elsewhere> {
    const { callId } = call;
    const placing = this.#placing.get(callId);
    if (placing !== undefined) {
      return placing;
    }
    const isKnown = this.#dispatcher.callOf(callId) !== null;
    const placed = this.#dispatcher.begin(call);
    if (isKnown) {
      return placed;
    }
    if (!this.isStrict) {
      this.#unclaimed.set(callId, this.#record(placed, call));
      void this.#claim(callId);
      return placed;
    }
    const leasing = this.#lease(call, placed).finally(() => this.#placing.delete(callId));
    this.#placing.set(callId, leasing);
    return leasing;
  }

  /** Where a call is. @throws CallsteerError `no_such_call`; {@link NoEngine} */
  async show(callId: string): Promise<Elsewhere> {
    return (await this.#do({ op: 'show', call_id: callId })) as Elsewhere;
  }

  /** `Dispatcher.confirmCall`, whoever placed it. @throws CallsteerError `no_such_call`; {@link NoEngine} */
  async confirm(callId: string): Promise<void> {
    await this.#do({ op: 'confirm', call_id: callId });
  }

  /**
   * `Dispatcher.failCall`, whoever placed it, and `nextCall` where another bridge may do better; `retryAfter`
   * in ms. Whom it counts against, and where the call is now; `null` where it did not move.
   *
   * @throws CallsteerError `no_such_call`, `invalid_reply`; {@link NoEngine}
   */
  async fail(
    callId: string,
    reply: number | 'timeout' | 'unreachable',
    retryAfter?: number,
  ): Promise<{ blame: Blame; movedTo: Elsewhere | null }> {
    const wait = retryAfter === undefined ? {} : { retry_after: retryAfter / 1e3 };
    const said = await this.#do({ op: 'fail', call_id: callId, reply, ...wait });
    const { blame, moved_to: movedTo } = said as { blame: Blame; moved_to: Elsewhere | null };
    return { blame, movedTo };
  }

  /** `Dispatcher.endCall`, whoever placed it. @throws {@link NoEngine} */
  async end(callId: string): Promise<boolean> {
    try {
      await this.#do({ op: 'end', call_id: callId });
      return true;
    } catch (error) {
      if (error instanceof CallsteerError && error.code === 'no_such_call') {
        return false;
      }
      throw error;
    }
  }

  /** Tells all others something that only one of them was told: a bridge's report, a list. */
  tell(said: Record<string, unknown>): void {
    this.#engine.publish('told', { from: this.id, ...said }).catch(() => {});
  }

  // Looking

  /** How it is connected, in the text format of Prometheus. */
  metrics(): string {
    const heard = this.#dispatcher.replicas();
    const lost = heard.filter((other) => other.lost).length;
    const lines = [
      '# HELP callsteer_replica_engine_up Whether the engine is reached.',
      '# TYPE callsteer_replica_engine_up gauge',
      `callsteer_replica_engine_up ${Number(this.isConnected)}`,
      '# HELP callsteer_replicas Other replicas, by whether they are heard.',
      '# TYPE callsteer_replicas gauge',
      `callsteer_replicas{state="heard"} ${heard.length - lost}`,
      `callsteer_replicas{state="lost"} ${lost}`,
    ];
    for (const [name, meaning] of Object.entries(COUNTS)) {
      const metric = `callsteer_replica_${name}_total`;
      const count = this.counts[name as keyof typeof COUNTS];
      lines.push(`# HELP ${metric} ${meaning}`, `# TYPE ${metric} counter`, `${metric} ${count}`);
    }
    return `${lines.join('\n')}\n`;
  }

  // Private: signs of life and deltas

  async #beats(number: number, failures: number): Promise<void> {
    try {
      await this.#beat(number % FULL_EVERY === 0);
      [number, failures] = [number + 1, 0];
    } catch (error) {
      if (this.#isStopped) {
        return;
      }
      this.#lose(error);
      // The next one has everything: who knows what came through.
      [number, failures] = [0, failures + 1];
    }
    if (!this.#isStopped) {
      const wait = Math.min(this.#interval * 2 ** Math.min(failures, 10), LONGEST_WAIT);
      this.#timer = setTimeout(() => void this.#beats(number, failures), wait);
    }
  }

  async #beat(full: boolean): Promise<void> {
    const delta = this.#dispatcher.delta({ full })!;
    const key = (...parts: string[]): string => this.#engine.key(...parts);
    const [opened, missed] = (await this.#engine.run(
      'beat',
      [key('opened'), key('seen'), key('alive', this.id), key('missed', this.#field)],
      [this.#field, this.epoch, this.#lostAfter, key('deltas'), delta, ...this.#caughtUp],
    )) as [string, string[]];
    this.counts.deltas_sent++;
    if (!this.isConnected) {
      this.#onEngine(true, '');
    }
    [this.isConnected, this.#aloneSince] = [true, null];
    for (const callId of [...this.#uncertain.keys()]) {
      await this.#makeCertain(callId);
    }
    missed.forEach((done) => this.#catchUp(done));
    this.#caughtUp = missed;
    for (const callId of [...this.#unclaimed.keys()]) {
      await this.#claim(callId);
    }
    void this.#finishElsewhere();
    if (this.isStrict) {
      await this.#settlePlaces(opened);
    }
  }

  /** Others took a call over, or ended it, while we were not heard. */
  #catchUp(done: string): void {
    const space = done.indexOf(' ');
    const callId = done.slice(space + 1);
    if (this.#dispatcher.callOf(callId) === null) {
      return;
    }
    if (done.slice(0, space) === 'ended') {
      this.#finish(callId);
      return;
    }
    const at = this.#end(callId);
    if (at !== null && this.isStrict && at.maxCalls > 0) {
      // The place went with it.
      this.#places.hold(nameOf(at), -1);
    }
  }

  /** Gives back what is held and not used; says all that is held to an engine that forgot it. */
  async #settlePlaces(opened: string): Promise<void> {
    const places = this.#places;
    places.full.clear();
    if (this.#opened !== opened) {
      this.#opened = null;
      if (!places.isSettled) {
        // Who asks from now on goes alone, so that it soon is.
        return;
      }
      const held = Array.from(places.held, ([name, count]) => ['HSET', this.#placesKey(name), this.#field, count]);
      await this.#engine.sendAll([...held, ['SADD', this.#engine.key('told'), this.id]]);
      this.#opened = opened;
    }
    const spares = places.spares();
    if (spares.length > 0) {
      // Before it is said: a call that comes meanwhile must not stand on it.
      spares.forEach(([name, spare]) => places.hold(name, -spare));
      await this.#engine.sendAll(
        spares.map(([name, spare]) => ['HINCRBY', this.#placesKey(name), this.#field, -spare]),
      );
    }
  }

  #lose(error: unknown): void {
    this.counts.engine_errors++;
    if (this.#aloneSince === null) {
      this.#aloneSince = performance.now();
      this.#onEngine(false, String(error instanceof Error ? error.message : error));
    }
    [this.isConnected, this.#opened] = [false, null];
    this.#places.full.clear();
  }

  #hear(channel: string, text: string): void {
    try {
      if (channel === 'deltas') {
        this.counts.deltas_heard += Number(this.#dispatcher.merge(text));
        return;
      }
      const said = JSON.parse(text) as Record<string, unknown>;
      if ('answer' in said) {
        this.#asks.hear(said as unknown as Answer);
      } else if (said['from'] !== this.id && channel === 'told') {
        this.#onTold(said);
      } else if (said['from'] !== this.id) {
        void this.#answer(said as unknown as What & { ask: string; from: string; epoch?: number });
      } else if (channel === EVERYBODY) {
        this.#asks.hearOwn(said['ask'] as string);
      }
    } catch {
      // What nobody understands is nobody's: another version says it again in another way.
    }
  }

  // Private: places, and whose a call is

  async #lease(call: Call & { callId: string }, placed: Placed): Promise<Placed | Elsewhere> {
    try {
      for (;;) {
        const outcome = await this.#take(call.callId, placed, call);
        if (outcome === true) {
          return placed;
        }
        if (outcome !== false) {
          this.#dispatcher.end(placed.lease);
          return outcome;
        }
        placed = this.#dispatcher.next(placed.lease);
      }
    } catch (error) {
      this.#dispatcher.end(placed.lease);
      if (error instanceof CallsteerError && error.code === 'exhausted') {
        const [status, retryAfterMs] = [503, this.#retryAfter];
        const retryAfterSeconds = Math.ceil(retryAfterMs / 1e3);
        throw new CallsteerError('full', 'every destination that is up is full', { status, retryAfterMs, retryAfterSeconds });
      }
      throw error;
    }
  }

  /** Whether a call may stay at its destination; or where else it is already. */
  async #take(callId: string, placed: Placed, call: object, moves = false): Promise<boolean | Elsewhere> {
    const [to, places] = [placed.destination, this.#places];
    const name = nameOf(to);
    if (places.full.has(name)) {
      return false;
    }
    places.ask(name, 1);
    let answer: [outcome: string, known?: string] = ['alone'];
    try {
      if (this.#opened !== null) {
        answer = await this.#askForPlace(callId, placed, call, moves);
      }
    } catch (error) {
      if (!(error instanceof Lost)) {
        places.ask(name, -1);
        throw error;
      }
      this.#lose(error);
    }
    // From here on in one go.
    const [outcome, known] = answer;
    let stays = outcome === 'taken';
    if (stays) {
      places.hold(name, to.maxCalls > 0 ? 1 : 0);
    } else if (outcome === 'full') {
      this.counts.places_refused++;
      places.full.add(name);
    } else if (outcome !== 'known') {
      // Alone, or while the engine hears again what everybody holds: on a place that is held.
      this.counts.places_alone++;
      stays = to.maxCalls === 0 || (this.#isKept() && places.spare(to) > 0);
      if (stays) {
        this.#unclaimed.set(callId, this.#record(placed, call));
      }
    }
    places.ask(name, -1);
    return outcome === 'known' ? elsewhere(JSON.parse(known!) as Known) : stays;
  }

  async #askForPlace(callId: string, placed: Placed, call: object, moves: boolean): Promise<[string, string?]> {
    const engine = this.#engine;
    const { maxCalls } = placed.destination;
    const keys = ['opened', 'seen', 'told'].map((key) => engine.key(key));
    const said = [this.#record(placed, call), this.#stays, this.#field, maxCalls, SETTLING, 2 * this.#stays];
    return (await engine.run(
      'take',
      [engine.key('call', callId), this.#placesKey(nameOf(placed.destination)), ...keys],
      [...said, Number(moves), this.#replicas],
    )) as [string, string?];
  }

  /** Whether the engine still keeps the places that are held here. */
  #isKept(): boolean {
    return this.#aloneSince === null || performance.now() - this.#aloneSince < this.#stays;
  }

  /** Says whose a call is; one that another replica has, or that ended, is not counted here. */
  async #claim(callId: string): Promise<void> {
    const record = this.#unclaimed.get(callId);
    if (record === undefined) {
      return;
    }
    await this.#quietly(async () => {
      const keys = [this.#engine.key('call', callId)];
      const known = (await this.#engine.run('claim', keys, [record, this.#stays])) as string | null;
      this.#unclaimed.delete(callId);
      if (known !== null && (JSON.parse(known) as Known).replica !== this.id) {
        this.counts.calls_twice++;
        this.#end(callId);
      } else if (this.#dispatcher.callOf(callId) === null) {
        // It ended meanwhile.
        this.#finish(callId);
      }
    });
  }

  #record(placed: Placed, call: object): string {
    const { callId: _, ...said } = call as Record<string, unknown>;
    const { set, id, uri } = placed.destination;
    const record: Known = { replica: this.id, epoch: this.epoch, lease: placed.lease, set, id, uri, call: said };
    return JSON.stringify(record);
  }

  // Private: calls of others

  /** Does it here, or lets the replica do it that has the call. */
  async #do(what: What): Promise<unknown> {
    const callId = what.call_id;
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        if (await this.#isHere(callId)) {
          return await this.#act(what);
        }
        this.counts.asked++;
        const found = await this.#engine.record(callId);
        if (found === null) {
          return await this.#askEverybody(what);
        }
        const [record, known] = found;
        if (known.replica !== this.id) {
          try {
            return await this.#asks.ask(`to:${known.replica}`, { ...what, epoch: known.epoch });
          } catch (error) {
            if (!(error instanceof Gone)) {
              throw error;
            }
          }
        } else if (this.#unfinished.has(callId)) {
          // It ended here: only its record is left.
          throw noSuchCall();
        }
        await this.#takeOver(callId, record, known);
      } catch (error) {
        if (error instanceof Nobody) {
          throw noSuchCall();
        }
        if (error instanceof Lost) {
          throw new NoEngine(`the call ${JSON.stringify(callId)} is not here: ${error.message}`, { cause: error });
        }
        throw error;
      }
    }
    throw new NoEngine(`the call ${JSON.stringify(callId)} goes from one replica to the other`);
  }

  /** Whether a call is counted here, when all that is under way with it is done. Throws `Lost`. */
  async #isHere(callId: string): Promise<boolean> {
    await this.#placing.get(callId)?.catch(() => {});
    await this.#taking.get(callId)?.catch(() => {});
    await this.#makeCertain(callId);
    return this.#dispatcher.callOf(callId) !== null;
  }

  async #askEverybody(what: What): Promise<unknown> {
    try {
      return await this.#asks.ask(EVERYBODY, what);
    } catch (error) {
      if (error instanceof Nobody && what.op === 'end') {
        // One that did not hear it may have the call, and is told later.
        const deaf = this.#dispatcher.replicas().filter(({ id }) => !error.heard.has(id));
        const missed = deaf.map(({ id, epoch }) => this.#engine.key('missed', `${id}@${epoch}`));
        const told = missed.flatMap((key) => [
          ['RPUSH', key, `ended ${what.call_id}`],
          ['PEXPIRE', key, this.#stays],
        ]);
        await (told.length > 0 && this.#engine.sendAll(told));
      }
      throw error;
    }
  }

  /** The call is over: its place is free, if there is an engine to tell. */
  #finish(callId: string): void {
    const at = this.#end(callId);
    const leased = at !== null && this.isStrict && at.maxCalls > 0 && this.#opened !== null;
    if (leased) {
      this.#places.giveBack(at);
    }
    void this.#release(callId, at, leased);
  }

  /** Counts a call no more that is counted here; where it was. */
  #end(callId: string): Destination | null {
    const lease = this.#dispatcher.callOf(callId);
    const at = lease === null ? null : this.#dispatcher.destinationOf(lease);
    this.#dispatcher.endCall(callId);
    this.#unclaimed.delete(callId);
    return at;
  }

  async #finishElsewhere(): Promise<void> {
    for (const callId of [...this.#unfinished]) {
      const keys = [this.#engine.key('call', callId), this.#engine.key('places')];
      try {
        // One that came again has the record. The place of the first one was found to be spare.
        const isOver = this.#dispatcher.callOf(callId) === null;
        if (isOver && !(await this.#engine.run('release', keys, [this.#field, 0]))) {
          await this.end(callId);
        }
        this.#unfinished.delete(callId);
      } catch {
        // At the next beat, then.
      }
    }
  }

  async #release(callId: string, at: Destination | null, leased: boolean): Promise<void> {
    const keys = [this.#engine.key('call', callId), at === null ? this.#engine.key('places') : this.#placesKey(nameOf(at))];
    try {
      if (!(await this.#engine.run('release', keys, [this.#field, Number(leased)]))) {
        this.#unfinished.add(callId);
      }
    } catch (error) {
      this.#unfinished.add(callId);
      if (leased) {
        // What is held is said anew, then.
        this.#lose(error);
      }
    } finally {
      if (leased) {
        this.#places.givenBack();
      }
    }
  }

  /** Does it here, where the call is. */
  async #act(what: What): Promise<unknown> {
    const [dispatcher, callId] = [this.#dispatcher, what.call_id];
    switch (what.op) {
      case 'show': {
        const lease = dispatcher.callOf(callId);
        return this.#shown(lease, lease === null ? null : dispatcher.destinationOf(lease));
      }
      case 'confirm':
        dispatcher.confirmCall(callId);
        return null;
      case 'end':
        this.#finish(callId);
        return null;
      case 'fail': {
        const { reply, retry_after: wait } = what;
        const failure =
          typeof reply === 'number' && wait !== undefined ? { reply, retryAfter: wait * 1e3 } : reply!;
        const blame = dispatcher.failCall(callId, failure);
        const moved = blame === 'caller' ? null : await this.#move(callId);
        return { blame, moved_to: moved && this.#shown(moved.lease, moved.destination) };
      }
    }
  }

  /** Another bridge for a call; `null` where there is none. */
  async #move(callId: string): Promise<Placed | null> {
    try {
      let placed = this.#dispatcher.nextCall(callId);
      const found = await this.#quietly(() => this.#engine.record(callId));
      const call = found?.[1].call ?? {};
      if (this.isStrict) {
        while ((await this.#take(callId, placed, call, true)) === false) {
          placed = this.#dispatcher.next(placed.lease);
        }
      } else if (found) {
        const key = this.#engine.key('call', callId);
        void this.#quietly(() => this.#engine.send('SET', key, this.#record(placed, call), 'KEEPTTL', 'XX'));
      }
      return placed;
    } catch (error) {
      if (error instanceof CallsteerError && error.code === 'exhausted') {
        return null;
      }
      throw error;
    }
  }

  #shown(lease: number | null, to: Destination | null): Elsewhere {
    if (lease === null || to === null) {
      throw noSuchCall();
    }
    return { replica: this.id, lease, set: to.set, id: to.id, uri: to.uri };
  }

  /** Does what another replica asks for, where the call is here. */
  async #answer(ask: What & { ask: string; from: string; epoch?: number }): Promise<void> {
    this.counts.answered++;
    const answer: Record<string, unknown> = { answer: ask.ask, from: this.id };
    const isHere = await this.#quietly(() => this.#isHere(ask.call_id));
    if (isHere === null) {
      // Who asks waits in vain, and is asked again.
      return;
    }
    if (isHere) {
      try {
        answer['ok'] = await this.#act(ask);
      } catch (error) {
        const { code, message } = error as CallsteerError;
        answer['refused'] = { code, detail: message };
      }
    } else {
      // A process before this one had it.
      answer[(ask.epoch ?? this.epoch) === this.epoch ? 'no' : 'gone'] = true;
    }
    await this.#quietly(() => this.#engine.publish(`to:${ask.from}`, answer));
  }

  /** Makes a call ours whose replica is gone. */
  async #takeOver(callId: string, record: string, known: Known): Promise<void> {
    const destination = this.#dispatcher.find(known.set, known.id);
    if (destination === null) {
      throw noSuchCall();
    }
    let taking = this.#taking.get(callId);
    if (taking === undefined) {
      const leased = this.isStrict && destination.maxCalls > 0;
      taking = this.#transfer(callId, record, known, leased).finally(() => this.#taking.delete(callId));
      this.#taking.set(callId, taking);
    }
    await taking;
  }

  async #transfer(callId: string, record: string, known: Known, leased: boolean): Promise<void> {
    const after = JSON.stringify({ ...known, replica: this.id, epoch: this.epoch });
    const before = `${known.replica}@${known.epoch}`;
    const keys = [this.#engine.key('call', callId), this.#placesKey(nameOf(known)), this.#engine.key('missed', before)];
    const said = [record, after, before, this.#field, Number(leased), callId, this.#stays];
    try {
      if (await this.#engine.run('take_over', keys, said)) {
        this.#adopt(callId, known);
      }
    } catch (error) {
      this.#uncertain.set(callId, after);
      if (leased) {
        // What is held is said anew, once it is certain.
        this.#lose(error);
      }
      throw error;
    }
  }

  /** Finds out whether a call that was taken over, perhaps, is ours. Throws `Lost`. */
  async #makeCertain(callId: string): Promise<void> {
    const after = this.#uncertain.get(callId);
    if (after === undefined) {
      return;
    }
    const isOurs = (await this.#engine.send('GET', this.#engine.key('call', callId))) === after;
    // Two may have asked: the first one that knows adopts it, and it may have ended since.
    if (this.#uncertain.delete(callId) && isOurs) {
      this.#adopt(callId, JSON.parse(after) as Known);
    }
  }

  /** Counts a call here that was taken over, and its place with it. */
  #adopt(callId: string, known: Known): void {
    const destination = this.#dispatcher.find(known.set, known.id);
    if (destination !== null && this.#dispatcher.callOf(callId) === null) {
      this.counts.taken_over++;
      this.#places.hold(nameOf(known), this.isStrict && destination.maxCalls > 0 ? 1 : 0);
      this.#dispatcher.takeOver(destination, { ...known.call, callId } as Call);
    }
  }

  async #quietly<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Lost) {
        return null;
      }
      throw error;
    }
  }

  #placesKey(name: string): string {
    return this.#engine.key('places', name);
  }
}

function elsewhere({ replica, lease, set, id, uri }: Known): Elsewhere {
  return { replica, lease, set, id, uri };
}

const COUNTS = {
  engine_errors: 'Times that the engine was not reached.',
  deltas_sent: 'Deltas sent.',
  deltas_heard: 'Deltas of others that had news.',
  places_refused: 'Places that the engine did not have.',
  places_alone: 'Places asked for while the engine gave none: on those held already, or refused.',
  calls_twice: 'Calls that two replicas placed at the same time, of which one counts.',
  asked: 'Requests for calls of another replica.',
  answered: 'Requests that came from another replica.',
  taken_over: 'Calls of replicas that are gone.',
};
