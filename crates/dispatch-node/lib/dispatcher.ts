/** The façade: commands, reports from outside, polls, getters, in the order of the core. */

import { ActiveCall } from './active-call';
import { bytes, duration, flag, items, lease as checkedLease, object, text, time, whole } from './arguments';
import { Destination } from './destination';
import { type CallsteerError, disposed } from './errors';
import { List } from './list';
import { fromCore, toCore } from './names';
import { DESTINATION, EXCHANGED, FLAG, type Functions, INDEX, LEASE, NOW, type Native, native } from './native';
import { Plan } from './plan';
import type {
  Blame,
  Call,
  Capacity,
  Config,
  Description,
  Event,
  Explanation,
  ExplanationRow,
  Failure,
  Lease,
  Picked,
  Placed,
  ProbeResult,
  Reconciled,
  Replica,
  Report,
  Stats,
  Status,
} from './types';
import { Waiting } from './waiting';
import { Watch, type Listener, type Subject } from './watch';

/** What a dispatcher needs beside its configuration. */
export interface DispatcherOptions {
  /**
   * The clock for commands without `now`: milliseconds since any epoch, never going backwards. If not
   * given, `performance.now`.
   */
  readonly clock?: () => number;
}

/** How a restored dispatcher goes on. */
export interface RestoreOptions extends DispatcherOptions {
  /** How many milliseconds passed since the last time that the snapshot's dispatcher saw. Default 0. */
  readonly away?: number;
  /** What the clock shows, where it is not to be asked. */
  readonly now?: number;
}

/** What a dispatcher is restored from, where others are configured. */
class Saved {
  constructor(readonly data: string | Uint8Array) {}
}

/**
 * Decides which destination takes the next call, and keeps track of calls and destinations.
 *
 * It opens no socket. *Commands* change what is decided, *reports* say what happened outside, *polls* are
 * called until they give `null`, *getters* never change anything. Each method that takes `now`
 * (milliseconds; the clock's, if not given) first brings everything up to that time. What is refused
 * changes nothing and throws a {@link CallsteerError}.
 *
 * A dispatcher lives in the thread that made it: make one in each worker, with `dispatchers` in the
 * configuration, or let the others ask the thread that has it.
 *
 * @example
 * ```js
 * const dispatcher = new Dispatcher({ algorithm: 'call_load' });
 * dispatcher.add(1, { uri: 'sip:10.0.0.1', maxCalls: 50 });
 * const placed = dispatcher.begin('a84b4c76e66710@pc33'); // INVITE: chosen and counted
 * dispatcher.confirm(placed.lease); // 200 OK; or fail(...) and next(...)
 * dispatcher.end(placed.lease); // BYE
 * ```
 */
export class Dispatcher {
  /** Structured clones fail on this symbol, and say why. */
  readonly thread = Symbol('a Dispatcher lives in the thread that made it: make one in each worker');

  readonly #native: Native;
  readonly #functions: Functions;
  readonly #exchange = new Float64Array(EXCHANGED);
  readonly #clock: () => number;
  /** By index; each may be one that is not there any more. */
  #destinations: (Destination | undefined)[] = [];
  /** Those that left, by key, until the event that says so: others before it may be about them. */
  readonly #left = new Map<number, Destination>();
  /** What destinations know their dispatcher by. */
  readonly #owner = {};
  #watch: Watch | undefined;
  #waiting: Waiting | undefined;

  /**
   * A dispatcher without destinations.
   *
   * @throws CallsteerError `invalid_config`: a value that cannot work, or a name that is none.
   */
  constructor(config: Config = {}, options: DispatcherOptions = {}) {
    this.#native =
      config instanceof Saved
        ? native.Native.restore(config.data, this.#exchange)
        : new native.Native(toCore(object(config, 'config'), 'config') as object, this.#exchange);
    this.#functions = this.#native.functions();
    this.#clock = object(options, 'options').clock ?? (() => performance.now());
  }

  /**
   * The dispatcher that a snapshot was made of, in this process or another one: the same leases mean the same
   * calls, and whatever comes next, it decides the same. Destinations are new objects.
   *
   * The clock may have begun anew, as `performance.now` does with every process: spans go on where they were.
   *
   * @param data what {@link Dispatcher.snapshot} gave, or the text that {@link Dispatcher.snapshotJson} gave
   * @throws CallsteerError `damaged_snapshot`: it is none, or not a whole one, or was changed; `snapshot_version`:
   * a release that keeps other things has made it; `inconsistent_snapshot`: what it says cannot be.
   */
  static restore(data: Uint8Array | string, options: RestoreOptions = {}): Dispatcher {
    const { away, now, ...others } = object(options, 'options');
    const saved = new Saved(typeof data === 'string' ? data : bytes(data, 'data'));
    // Of a subclass, one of these.
    const restored = new this(saved as Config, others);
    restored.resume({ away }, now);
    return restored;
  }

  // Commands

  /**
   * Adds a destination to a set. One that was removed and still has calls comes back with them.
   *
   * @throws CallsteerError `invalid_destination`, `duplicate`: the set has its id already.
   */
  add(set: number, description: Description, now: number = this.#clock()): Destination {
    const key = this.#native.add(whole(set, 'set'), describe(description), time(now));
    this.#changed(key);
    return this.#known(key);
  }

  /**
   * Takes a destination out of its set at once. Its calls go on; when the last one has ended, an event
   * `removed` says so.
   *
   * @throws CallsteerError `no_such_destination`
   */
  remove(destination: Destination, now: number = this.#clock()): void {
    const key = this.#key(destination);
    this.#native.remove(key, time(now));
    this.#leaves(key, destination);
    this.#watch?.arm();
  }

  /**
   * Replaces the description of a destination. Its id stays, and with it load, health and calls. What the
   * new description does not say has its default.
   *
   * @throws CallsteerError `no_such_destination`, `invalid_destination`, `id_changed`
   */
  update(destination: Destination, description: Description, now: number = this.#clock()): Destination {
    const key = this.#key(destination);
    this.#native.update(key, describe(description), time(now));
    this.#changed(key);
    return this.#known(key);
  }

  /**
   * Switches a destination on, which also ends a drain, or off: it gets no new calls.
   *
   * @throws CallsteerError `no_such_destination`
   */
  setEnabled(destination: Destination, enabled: boolean, now: number = this.#clock()): void {
    this.#native.setEnabled(this.#key(destination), flag(enabled, 'enabled'), time(now));
    this.#watch?.arm();
    this.#waiting?.room();
  }

  /**
   * Gives a destination no new calls, and says once, by an event `drained`, when its calls have ended or
   * `deadline` milliseconds have passed.
   *
   * @throws CallsteerError `no_such_destination`
   */
  drain(destination: Destination, options: { deadline?: number } = {}, now: number = this.#clock()): void {
    const deadline = duration(object(options, 'options').deadline, 'deadline');
    this.#native.drain(this.#key(destination), deadline, time(now));
    this.#watch?.arm();
  }

  /**
   * Drains a destination and waits until that is over; gives how many calls were still there at the
   * deadline. Do not poll for events beside it.
   *
   * @throws CallsteerError `no_such_destination`
   * @throws the signal's reason, if it is aborted; the drain goes on then.
   */
  async drained(
    destination: Destination,
    options: { deadline?: number; signal?: AbortSignal } = {},
    now: number = this.#clock(),
  ): Promise<number> {
    const key = this.#key(destination);
    options.signal?.throwIfAborted();
    const watch = this.#watched();
    const events = watch.events(options.signal);
    return watch.keepAlive(async () => {
      try {
        this.drain(destination, options, now);
        for await (const event of events) {
          if (event.kind === 'drained' && event.destination !== null && Destination.is(event.destination, key)) {
            return event.left;
          }
        }
      } catch (error) {
        options.signal?.throwIfAborted();
        throw error;
      } finally {
        await events.return?.();
      }
      throw disposed();
    });
  }

  /**
   * What would change if this list were all there is: pairs of set and description, or a {@link List}.
   * Changes nothing yet: give the plan to {@link Dispatcher.apply}.
   *
   * @throws CallsteerError `invalid_destination`, `duplicate`, with the number of the entry
   */
  plan(list: List | Iterable<readonly [set: number, description: Description]>): Plan {
    const pairs = list instanceof List ? list.destinations() : items(list, 'list');
    const entries = pairs.map((pair) => {
      const [set, description] = items(pair, 'an entry of the list');
      return [whole(set as number, 'set'), describe(description as Description)] as const;
    });
    return Plan.from(this.#native.plan(entries));
  }

  /**
   * Carries out a plan, all of it or nothing.
   *
   * @throws CallsteerError `stale_plan`: destinations changed after the plan was made.
   */
  apply(plan: Plan, now: number = this.#clock()): void {
    const planned = Plan.native(plan);
    const removed = plan.changes.filter((change) => change.kind === 'remove');
    const leaving = removed.flatMap(({ set, id }) => this.find(set, id) ?? []);
    this.#native.apply(planned, time(now));
    leaving.forEach((destination) => this.#leaves(this.#key(destination), destination));
    this.#destinations = [];
    this.#watch?.arm();
    this.#waiting?.room();
  }

  /**
   * Chooses a destination for a call and counts it there, in one step. A Call-ID that is in progress
   * already (a retransmitted INVITE) gets the same answer again and counts once.
   *
   * @throws CallsteerError `full`, `all_down`, `no_such_set`, `tenant_full`, `too_fast`, `invalid_call`,
   * with what to answer the caller.
   */
  begin(call: string | Uint8Array | Call, now: number = this.#clock()): Placed {
    const exchange = this.#exchange;
    exchange[NOW] = time(now);
    if (typeof call === 'string') {
      this.#functions.begin(call);
    } else {
      this.#say(call, this.#functions.beginCall);
    }
    this.#watch?.arm();
    return { lease: exchange[LEASE]!, destination: this.#chosen(), panic: exchange[FLAG] !== 0 };
  }

  /**
   * {@link Dispatcher.begin} for many calls at once, of the same time: of each its place, or the error that
   * refused it. No cheaper than one after the other.
   */
  placeMany(
    callIds: Iterable<string | Uint8Array>,
    now: number = this.#clock(),
  ): (Placed | CallsteerError | TypeError)[] {
    const calls = items(callIds, 'callIds');
    const places = new Float64Array(4 * calls.length);
    const outcomes: (Placed | CallsteerError | TypeError)[] = new Array(calls.length);
    this.#exchange[NOW] = time(now);
    this.#functions.beginMany(calls, places, outcomes);
    for (let index = 0; index < calls.length; index += 1) {
      const at = 4 * index;
      if (places[at] !== 0) {
        const destination = this.#cached(places[at + 1]!, places[at + 2]!);
        outcomes[index] = { lease: places[at]!, destination, panic: places[at + 3] !== 0 };
      }
    }
    this.#watch?.arm();
    return outcomes;
  }

  /**
   * Begins a call that ends with its scope.
   *
   * ```ts
   * using call = dispatcher.call('a84b4c76e66710@pc33');
   * ```
   *
   * @throws CallsteerError as {@link Dispatcher.begin}
   */
  call(call: string | Uint8Array | Call, now: number = this.#clock()): ActiveCall {
    return ActiveCall.from(this, this.begin(call, now));
  }

  /**
   * Begins a call as soon as there is room: where it is refused and may try again (`full`, `all_down`,
   * `tenant_full`, `too_fast`), it waits behind those of its set and tenant that came before. It tries when
   * this dispatcher hears of something that may make room, and when the time to wait is over; each try that
   * is refused counts as refused. Reads the clock.
   *
   * @throws CallsteerError as {@link Dispatcher.begin}, for what waiting does not heal
   * @throws the signal's reason, if it is aborted; nothing was counted then.
   */
  async beginWhenFree(call: string | Uint8Array | Call, options: { signal?: AbortSignal } = {}): Promise<Placed> {
    const { signal } = object(options, 'options');
    this.#waiting ??= new Waiting((waiting) => this.begin(waiting));
    return this.#waiting.enter(call, signal);
  }

  /**
   * Chooses as {@link Dispatcher.begin} does, and counts nothing: for what is no call (a REGISTER), or for
   * calls that somebody else counts.
   *
   * @throws CallsteerError as {@link Dispatcher.begin}
   */
  pick(call: string | Uint8Array | Call, now: number = this.#clock()): Picked {
    this.#exchange[NOW] = time(now);
    if (typeof call === 'string') {
      this.#functions.pick(call);
    } else {
      this.#say(call, this.#functions.pickCall);
    }
    return { destination: this.#chosen(), panic: this.#exchange[FLAG] !== 0 };
  }

  /**
   * Moves a call to a destination where it has not been, in the algorithm's own order.
   *
   * @throws CallsteerError `no_such_call`, `exhausted`: answer the caller, and `end` it.
   */
  next(lease: Lease, now: number = this.#clock()): Placed {
    return this.#moved(checkedLease(lease), time(now));
  }

  /** {@link Dispatcher.next}, by Call-ID. */
  nextCall(callId: string | Uint8Array, now: number = this.#clock()): Placed {
    return this.#moved(bytes(callId, 'callId'), time(now));
  }

  // Reports from outside

  /**
   * The call was answered. Saying it again changes nothing.
   *
   * @throws CallsteerError `no_such_call`
   */
  confirm(lease: Lease, now: number = this.#clock()): void {
    this.#exchange[NOW] = time(now);
    this.#exchange[LEASE] = checkedLease(lease);
    this.#functions.confirm();
    this.#watch?.arm();
  }

  /** {@link Dispatcher.confirm}, by Call-ID. */
  confirmCall(callId: string | Uint8Array, now: number = this.#clock()): void {
    this.#exchange[NOW] = time(now);
    this.#functions.confirmCall(callId);
    this.#watch?.arm();
  }

  /**
   * The call failed at its destination. It stays counted there until `next` or `end`.
   *
   * @throws CallsteerError `no_such_call`, `invalid_reply`
   */
  fail(lease: Lease, failure: Failure, now: number = this.#clock()): Blame {
    return this.#failed(checkedLease(lease), failure, time(now));
  }

  /** {@link Dispatcher.fail}, by Call-ID. */
  failCall(callId: string | Uint8Array, failure: Failure, now: number = this.#clock()): Blame {
    return this.#failed(bytes(callId, 'callId'), failure, time(now));
  }

  /** The call is over, however it ended. `false` where it had ended before: saying it again does no harm. */
  end(lease: Lease, now: number = this.#clock()): boolean {
    this.#exchange[NOW] = time(now);
    this.#exchange[LEASE] = checkedLease(lease);
    this.#functions.end();
    return this.#ended();
  }

  /** {@link Dispatcher.end}, by Call-ID. */
  endCall(callId: string | Uint8Array, now: number = this.#clock()): boolean {
    this.#exchange[NOW] = time(now);
    this.#functions.endCall(callId);
    return this.#ended();
  }

  /**
   * What a probe of a destination brought, asked for or not.
   *
   * @throws CallsteerError `no_such_destination`, `invalid_reply`
   */
  probeResult(destination: Destination, result: ProbeResult, now: number = this.#clock()): void {
    const [reply, retryAfter] = replied(result, 'result');
    this.#native.probeResult(this.#key(destination), reply, retryAfter, time(now));
    this.#watch?.arm();
    this.#waiting?.room();
  }

  /**
   * Takes what a bridge says about itself.
   *
   * @throws CallsteerError `no_such_destination`, `invalid_report`, `late_report`, `duplicate_report`,
   * `future_report`
   */
  report(destination: Destination, report: Report, now: number = this.#clock()): void {
    const said = toCore(object(report, 'report'), 'report') as object;
    this.#native.report(this.#key(destination), said, time(now));
    this.#watch?.arm();
    this.#waiting?.room();
  }

  /**
   * Ends the confirmed calls that are counted at a destination and are not in progress there: by the
   * Call-IDs of all that are, or by their number.
   *
   * @throws CallsteerError `no_such_destination`
   */
  reconcile(
    destination: Destination,
    there: number | Iterable<string | Uint8Array>,
    now: number = this.#clock(),
  ): Reconciled {
    const key = this.#key(destination);
    const inventory =
      typeof there === 'number'
        ? whole(there, 'there')
        : items(there, 'there').map((callId) => bytes(callId, 'callId'));
    const done = this.#native.reconcile(key, inventory, time(now)) as Reconciled;
    this.#watch?.arm();
    this.#waiting?.room();
    return done;
  }

  /**
   * Takes what another replica says, in any order, also twice; whether anything of it was new.
   *
   * @throws CallsteerError `invalid_delta`
   */
  merge(delta: string, now: number = this.#clock()): boolean {
    const isNew = this.#native.merge(text(delta, 'delta'), time(now));
    this.#watch?.arm();
    this.#waiting?.room();
    return isNew;
  }

  /**
   * Counts a call that a replica placed which is gone: it goes on here, as one being set up. Its lease; that
   * of a call in progress here already.
   *
   * @throws CallsteerError `no_such_destination`
   */
  takeOver(destination: Destination, call: Call, now: number = this.#clock()): Lease {
    const { callId, set, key, class: class_, cost, tenant } = object(call, 'call');
    const lease = this.#native.takeOver(
      this.#key(destination),
      bytes(callId, 'callId'),
      set === undefined ? set : whole(set, 'set'),
      key === undefined ? key : bytes(key, 'key'),
      class_ === undefined ? class_ : text(class_, 'class'),
      cost === undefined ? cost : whole(cost, 'cost'),
      tenant === undefined ? tenant : text(tenant, 'tenant'),
      time(now),
    );
    this.#watch?.arm();
    return lease;
  }

  // Polls

  /**
   * What changed here since the delta before, for the other replicas; everything where it is `full`. To be
   * called every interval, also while nothing happens: it is the sign of life, and lets go of replicas that
   * were not heard for `lostAfter`. `null` without the option `replicas`.
   */
  delta({ full = false }: { readonly full?: boolean } = {}, now: number = this.#clock()): string | null {
    const delta = this.#native.delta(full, time(now));
    this.#watch?.arm();
    this.#waiting?.room();
    return delta;
  }

  /** The next destination to probe, if one is due; answer with {@link Dispatcher.probeResult}. */
  pollProbe(now: number = this.#clock()): Destination | null {
    const key = this.#native.pollProbe(time(now));
    return key === null ? null : this.#known(key);
  }

  /** The oldest event that was not polled yet. */
  pollEvent(now: number = this.#clock()): Event | null {
    const event = this.#native.pollEvent(time(now));
    if (event !== null && typeof event['destination'] === 'number') {
      const key = event['destination'];
      event['destination'] = this.#remembered(key);
      if (event['kind'] === 'removed') {
        this.#left.delete(key);
      }
    }
    return event as Event | null;
  }

  /** When to poll again at the latest, in milliseconds of the dispatcher's clock; `null` while nothing is due. */
  nextDeadline(): number | null {
    return this.#native.nextDeadline();
  }

  /**
   * Calls a listener with each event of a kind, with every `event`, or with each `probe` to send. While
   * anybody listens, the dispatcher polls by itself at its next deadline, by a timer that does not keep the
   * process alive for what is not due yet. Polling beside it takes events away.
   *
   * Who listens for no `probe` should switch probing off.
   */
  on<S extends Subject>(subject: S, listener: Listener<S>): this {
    this.#watched().on(subject, listener);
    return this;
  }

  /** {@link Dispatcher.on}, for the first one only. */
  once<S extends Subject>(subject: S, listener: Listener<S>): this {
    this.#watched().once(subject, listener);
    return this;
  }

  /** Takes a listener back. */
  off<S extends Subject>(subject: S, listener: Listener<S>): this {
    this.#watch?.off(subject, listener);
    return this;
  }

  /**
   * All events from now on, until the loop is left, the signal is aborted (which throws) or the dispatcher
   * is disposed of.
   */
  events(options: { signal?: AbortSignal } = {}): AsyncIterableIterator<Event> {
    return this.#watched().events(object(options, 'options').signal);
  }

  // Getters

  /** The configuration with every default. */
  config(): Config {
    return fromCore(this.#native.config()) as Config;
  }

  /** Every set that has or had destinations, in ascending order. */
  sets(): number[] {
    return this.#native.sets();
  }

  /** A destination by its set and id, also one that was removed and still has calls. */
  find(set: number, id: string): Destination | null {
    const key = this.#native.find(whole(set, 'set'), text(id, 'id'));
    return key === null ? null : this.#known(key);
  }

  /** Where a call is. */
  destinationOf(lease: Lease): Destination | null {
    const key = this.#native.destinationOf(checkedLease(lease));
    return key === null ? null : this.#known(key);
  }

  /** The lease of the call in progress with this Call-ID. */
  callOf(callId: string | Uint8Array): Lease | null {
    return this.#native.callOf(bytes(callId, 'callId'));
  }

  /** How a destination is; `null` for one that is gone. */
  status(destination: Destination): Status | null {
    return this.#native.status(this.#key(destination)) as Status | null;
  }

  /** Counts of everything so far. */
  stats(): Stats {
    return fromCore(this.#native.stats()) as Stats;
  }

  /** The other replicas, as far as they were heard, by name. */
  replicas(): Replica[] {
    return this.#native.replicas() as Replica[];
  }

  /** Calls of a tenant in progress. */
  tenantCalls(tenant: string): number {
    return this.#native.tenantCalls(text(tenant, 'tenant'));
  }

  /** Every destination, also those that were removed and still have calls. */
  destinations(): Destination[] {
    return this.#native.keys().map((key) => this.#known(key));
  }

  /** Every destination with how it is. */
  *[Symbol.iterator](): IterableIterator<[Destination, Status]> {
    for (const destination of this.destinations()) {
      const status = this.status(destination);
      if (status !== null) {
        yield [destination, status];
      }
    }
  }

  /** What `begin` would do with a call, and why, as of the last time seen. Changes nothing. */
  explain(call: string | Uint8Array | Call): Explanation {
    const asked = typeof call === 'string' || call instanceof Uint8Array ? { callId: call } : object(call, 'call');
    const { callId, set, key, class: class_, cost, tenant } = asked as Call;
    const explained = this.#native.explain(
      bytes(callId, 'callId'),
      set === undefined ? set : whole(set, 'set'),
      key === undefined ? key : bytes(key, 'key'),
      class_ === undefined ? class_ : text(class_, 'class'),
      cost === undefined ? cost : whole(cost, 'cost'),
      tenant === undefined ? tenant : text(tenant, 'tenant'),
    );
    for (const row of explained.rows) {
      row.destination = this.#known(row.destination as number);
      row.algorithm = fromCore(row.algorithm);
    }
    const { destination, refused, rows } = explained;
    const to = destination === null ? null : this.#known(destination);
    return {
      destination: to,
      refused: refused as Explanation['refused'],
      rows: rows as unknown as ExplanationRow[],
    };
  }

  /** How full a set is, and how large it should be; `null` where nobody says what they can carry. */
  capacity(set: number = 1): Capacity | null {
    return this.#native.capacity(whole(set, 'set')) as Capacity | null;
  }

  /** The destinations of a set to drain first: those with the fewest calls left. */
  drainCandidates(count: number, set: number = 1): Destination[] {
    const keys = this.#native.drainCandidates(whole(set, 'set'), whole(count, 'count'));
    return keys.map((key) => this.#known(key));
  }

  /** All metrics in the Prometheus text format. For `prom-client` there is `callsteer/prometheus`. */
  metrics(): string {
    return this.#native.prometheus();
  }

  /**
   * Goes on by a clock that begins anew: it shows `now`, when `away` milliseconds have passed since the last time
   * seen. Spans go on where they were, and what is over by now is done.
   */
  resume(options: { away?: number | undefined } = {}, now: number = this.#clock()): void {
    this.#native.resume(duration(object(options, 'options').away, 'away'), time(now));
    this.#watch?.arm();
    this.#waiting?.room();
  }

  /**
   * Everything that it knows, as bytes for {@link Dispatcher.restore}, with a version and a checksum. Calls are in
   * it by keyed hashes of their Call-IDs, with the key: it is as secret as the configuration.
   */
  snapshot(): Uint8Array {
    return this.#native.snapshot();
  }

  /** The same as JSON, for people; {@link Dispatcher.restore} reads it, too. */
  snapshotJson(): string {
    return this.#native.snapshotJson();
  }

  /** Gives back timers and memory at once. Every other method fails from now on, but `dispose`. */
  dispose(): void {
    this.#watch?.close();
    this.#watch = undefined;
    this.#destinations = [];
    this.#left.clear();
    this.#native.dispose();
    this.#waiting?.close(disposed());
    this.#waiting = undefined;
  }

  /** As {@link Dispatcher.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  // Private

  #say(call: Uint8Array | Call, place: Functions['beginCall']): void {
    if (call instanceof Uint8Array) {
      place(call, undefined, undefined, undefined, undefined, undefined);
    } else {
      const { callId, set, key, class: class_, cost, tenant } = object(call, 'call');
      place(callId, set, key, class_, cost, tenant);
    }
  }

  #moved(which: Lease | Uint8Array, now: number): Placed {
    this.#native.next(which, now);
    const exchange = this.#exchange;
    const placed = { lease: exchange[LEASE]!, destination: this.#chosen(), panic: exchange[FLAG] !== 0 };
    this.#watch?.arm();
    this.#waiting?.room();
    return placed;
  }

  #failed(which: Lease | Uint8Array, failure: Failure, now: number): Blame {
    const [reply, retryAfter] = replied(failure, 'failure');
    const blame = this.#native.fail(which, reply, retryAfter, now) as Blame;
    this.#watch?.arm();
    return blame;
  }

  #ended(): boolean {
    const ended = this.#exchange[FLAG] !== 0;
    this.#watch?.arm();
    this.#waiting?.room();
    return ended;
  }

  /** The destination that the native part has just chosen. */
  #chosen(): Destination {
    return this.#cached(this.#exchange[DESTINATION]!, this.#exchange[INDEX]!);
  }

  #cached(key: number, index: number): Destination {
    const cached = this.#destinations[index];
    return cached !== undefined && Destination.is(cached, key) ? cached : this.#load(key, index);
  }

  #load(key: number, index: number): Destination {
    const said = this.#native.destination(key);
    if (said === null) {
      throw new Error('a destination was chosen that is not there');
    }
    const destination = Destination.from(said, this.#owner);
    this.#destinations[index] = destination;
    return destination;
  }

  /** A destination that is there. */
  #known(key: number): Destination {
    return this.#cached(key, indexOf(key));
  }

  /** A destination that may be gone: as it was last seen, or `null`. */
  #remembered(key: number): Destination | null {
    const left = this.#left.get(key);
    return left ?? (this.#native.destination(key) === null ? null : this.#known(key));
  }

  #leaves(key: number, destination: Destination): void {
    this.#left.set(key, destination);
    if (this.#left.size > REMEMBERED) {
      // Nobody polls for events.
      this.#left.delete(this.#left.keys().next().value!);
    }
  }

  #key(destination: Destination): number {
    return Destination.key(destination, this.#owner);
  }

  /** A destination has another description from now on. */
  #changed(key: number): void {
    this.#destinations[indexOf(key)] = undefined;
    this.#watch?.arm();
    this.#waiting?.room();
  }

  #watched(): Watch {
    this.#native.nextDeadline(); // refuses where the dispatcher has been disposed of
    this.#watch ??= new Watch(this, this.#clock);
    return this.#watch;
  }
}

function describe(description: Description): object {
  return toCore(object(description, 'destination'), 'destination') as object;
}

/** A reply as the native part takes it: a status, 0 for a time-out, 1 for unreachable. */
function replied(said: Failure, name: string): [reply: number, retryAfter: number | undefined] {
  if (said === 'timeout' || said === 'unreachable') {
    return [said === 'timeout' ? 0 : 1, undefined];
  }
  const { reply, retryAfter } = typeof said === 'number' ? { reply: said, retryAfter: undefined } : object(said, name);
  const status = whole(reply, name);
  // Below 2 the native part would take it for a time-out.
  return [status < 2 ? 2 : status, duration(retryAfter, 'retryAfter')];
}

/** Destinations that left and are remembered for events about them. */
const REMEMBERED = 1_024;

/** A key is 32 bits of an index below 21 bits of a generation. */
function indexOf(key: number): number {
  return key % 2 ** 32;
}
