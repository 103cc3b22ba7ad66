/** The façade: commands, reports from outside, polls, getters, in the order of the core. */
import { ActiveCall } from './active-call';
import { Destination } from './destination';
import { type CallsteerError } from './errors';
import { List } from './list';
import { Plan } from './plan';
import type { Blame, Call, Capacity, Config, Description, Event, Explanation, Failure, Lease, Picked, Placed, ProbeResult, Reconciled, Replica, Report, Stats, Status } from './types';
import { type Listener, type Subject } from './watch';
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
export declare class Dispatcher {
    #private;
    /** Structured clones fail on this symbol, and say why. */
    readonly thread: symbol;
    /**
     * A dispatcher without destinations.
     *
     * @throws CallsteerError `invalid_config`: a value that cannot work, or a name that is none.
     */
    constructor(config?: Config, options?: DispatcherOptions);
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
    static restore(data: Uint8Array | string, options?: RestoreOptions): Dispatcher;
    /**
     * Adds a destination to a set. One that was removed and still has calls comes back with them.
     *
     * @throws CallsteerError `invalid_destination`, `duplicate`: the set has its id already.
     */
    add(set: number, description: Description, now?: number): Destination;
    /**
     * Takes a destination out of its set at once. Its calls go on; when the last one has ended, an event
     * `removed` says so.
     *
     * @throws CallsteerError `no_such_destination`
     */
    remove(destination: Destination, now?: number): void;
    /**
     * Replaces the description of a destination. Its id stays, and with it load, health and calls. What the
     * new description does not say has its default.
     *
     * @throws CallsteerError `no_such_destination`, `invalid_destination`, `id_changed`
     */
    update(destination: Destination, description: Description, now?: number): Destination;
    /**
     * Switches a destination on, which also ends a drain, or off: it gets no new calls.
     *
     * @throws CallsteerError `no_such_destination`
     */
    setEnabled(destination: Destination, enabled: boolean, now?: number): void;
    /**
     * Gives a destination no new calls, and says once, by an event `drained`, when its calls have ended or
     * `deadline` milliseconds have passed.
     *
     * @throws CallsteerError `no_such_destination`
     */
    drain(destination: Destination, options?: {
        deadline?: number;
    }, now?: number): void;
    /**
     * Drains a destination and waits until that is over; gives how many calls were still there at the
     * deadline. Do not poll for events beside it.
     *
     * @throws CallsteerError `no_such_destination`
     * @throws the signal's reason, if it is aborted; the drain goes on then.
     */
    drained(destination: Destination, options?: {
        deadline?: number;
        signal?: AbortSignal;
    }, now?: number): Promise<number>;
    /**
     * What would change if this list were all there is: pairs of set and description, or a {@link List}.
     * Changes nothing yet: give the plan to {@link Dispatcher.apply}.
     *
     * @throws CallsteerError `invalid_destination`, `duplicate`, with the number of the entry
     */
    plan(list: List | Iterable<readonly [set: number, description: Description]>): Plan;
    /**
     * Carries out a plan, all of it or nothing.
     *
     * @throws CallsteerError `stale_plan`: destinations changed after the plan was made.
     */
    apply(plan: Plan, now?: number): void;
    /**
     * Chooses a destination for a call and counts it there, in one step. A Call-ID that is in progress
     * already (a retransmitted INVITE) gets the same answer again and counts once.
     *
     * @throws CallsteerError `full`, `all_down`, `no_such_set`, `tenant_full`, `too_fast`, `invalid_call`,
     * with what to answer the caller.
     */
    begin(call: string | Uint8Array | Call, now?: number): Placed;
    /**
     * {@link Dispatcher.begin} for many calls at once, of the same time: of each its place, or the error that
     * refused it. No cheaper than one after the other.
     */
    placeMany(callIds: Iterable<string | Uint8Array>, now?: number): (Placed | CallsteerError | TypeError)[];
    /**
     * Begins a call that ends with its scope.
     *
     * ```ts
     * using call = dispatcher.call('a84b4c76e66710@pc33');
     * ```
     *
     * @throws CallsteerError as {@link Dispatcher.begin}
     */
    call(call: string | Uint8Array | Call, now?: number): ActiveCall;
    /**
     * Begins a call as soon as there is room: where it is refused and may try again (`full`, `all_down`,
     * `tenant_full`, `too_fast`), it waits behind those of its set and tenant that came before. It tries when
     * this dispatcher hears of something that may make room, and when the time to wait is over; each try that
     * is refused counts as refused. Reads the clock.
     *
     * @throws CallsteerError as {@link Dispatcher.begin}, for what waiting does not heal
     * @throws the signal's reason, if it is aborted; nothing was counted then.
     */
    beginWhenFree(call: string | Uint8Array | Call, options?: {
        signal?: AbortSignal;
    }): Promise<Placed>;
    /**
     * Chooses as {@link Dispatcher.begin} does, and counts nothing: for what is no call (a REGISTER), or for
     * calls that somebody else counts.
     *
     * @throws CallsteerError as {@link Dispatcher.begin}
     */
    pick(call: string | Uint8Array | Call, now?: number): Picked;
    /**
     * Moves a call to a destination where it has not been, in the algorithm's own order.
     *
     * @throws CallsteerError `no_such_call`, `exhausted`: answer the caller, and `end` it.
     */
    next(lease: Lease, now?: number): Placed;
    /** {@link Dispatcher.next}, by Call-ID. */
    nextCall(callId: string | Uint8Array, now?: number): Placed;
    /**
     * The call was answered. Saying it again changes nothing.
     *
     * @throws CallsteerError `no_such_call`
     */
    confirm(lease: Lease, now?: number): void;
    /** {@link Dispatcher.confirm}, by Call-ID. */
    confirmCall(callId: string | Uint8Array, now?: number): void;
    /**
     * The call failed at its destination. It stays counted there until `next` or `end`.
     *
     * @throws CallsteerError `no_such_call`, `invalid_reply`
     */
    fail(lease: Lease, failure: Failure, now?: number): Blame;
    /** {@link Dispatcher.fail}, by Call-ID. */
    failCall(callId: string | Uint8Array, failure: Failure, now?: number): Blame;
    /** The call is over, however it ended. `false` where it had ended before: saying it again does no harm. */
    end(lease: Lease, now?: number): boolean;
    /** {@link Dispatcher.end}, by Call-ID. */
    endCall(callId: string | Uint8Array, now?: number): boolean;
    /**
     * What a probe of a destination brought, asked for or not.
     *
     * @throws CallsteerError `no_such_destination`, `invalid_reply`
     */
    probeResult(destination: Destination, result: ProbeResult, now?: number): void;
    /**
     * Takes what a bridge says about itself.
     *
     * @throws CallsteerError `no_such_destination`, `invalid_report`, `late_report`, `duplicate_report`,
     * `future_report`
     */
    report(destination: Destination, report: Report, now?: number): void;
    /**
     * Ends the confirmed calls that are counted at a destination and are not in progress there: by the
     * Call-IDs of all that are, or by their number.
     *
     * @throws CallsteerError `no_such_destination`
     */
    reconcile(destination: Destination, there: number | Iterable<string | Uint8Array>, now?: number): Reconciled;
    /**
     * Takes what another replica says, in any order, also twice; whether anything of it was new.
     *
     * @throws CallsteerError `invalid_delta`
     */
    merge(delta: string, now?: number): boolean;
    /**
     * Counts a call that a replica placed which is gone: it goes on here, as one being set up. Its lease; that
     * of a call in progress here already.
     *
     * @throws CallsteerError `no_such_destination`
     */
    takeOver(destination: Destination, call: Call, now?: number): Lease;
    /**
     * What changed here since the delta before, for the other replicas; everything where it is `full`. To be
     * called every interval, also while nothing happens: it is the sign of life, and lets go of replicas that
     * were not heard for `lostAfter`. `null` without the option `replicas`.
     */
    delta({ full }?: {
        readonly full?: boolean;
    }, now?: number): string | null;
    /** The next destination to probe, if one is due; answer with {@link Dispatcher.probeResult}. */
    pollProbe(now?: number): Destination | null;
    /** The oldest event that was not polled yet. */
    pollEvent(now?: number): Event | null;
    /** When to poll again at the latest, in milliseconds of the dispatcher's clock; `null` while nothing is due. */
    nextDeadline(): number | null;
    /**
     * Calls a listener with each event of a kind, with every `event`, or with each `probe` to send. While
     * anybody listens, the dispatcher polls by itself at its next deadline, by a timer that does not keep the
     * process alive for what is not due yet. Polling beside it takes events away.
     *
     * Who listens for no `probe` should switch probing off.
     */
    on<S extends Subject>(subject: S, listener: Listener<S>): this;
    /** {@link Dispatcher.on}, for the first one only. */
    once<S extends Subject>(subject: S, listener: Listener<S>): this;
    /** Takes a listener back. */
    off<S extends Subject>(subject: S, listener: Listener<S>): this;
    /**
     * All events from now on, until the loop is left, the signal is aborted (which throws) or the dispatcher
     * is disposed of.
     */
    events(options?: {
        signal?: AbortSignal;
    }): AsyncIterableIterator<Event>;
    /** The configuration with every default. */
    config(): Config;
    /** Every set that has or had destinations, in ascending order. */
    sets(): number[];
    /** A destination by its set and id, also one that was removed and still has calls. */
    find(set: number, id: string): Destination | null;
    /** Where a call is. */
    destinationOf(lease: Lease): Destination | null;
    /** The lease of the call in progress with this Call-ID. */
    callOf(callId: string | Uint8Array): Lease | null;
    /** How a destination is; `null` for one that is gone. */
    status(destination: Destination): Status | null;
    /** Counts of everything so far. */
    stats(): Stats;
    /** The other replicas, as far as they were heard, by name. */
    replicas(): Replica[];
    /** Calls of a tenant in progress. */
    tenantCalls(tenant: string): number;
    /** Every destination, also those that were removed and still have calls. */
    destinations(): Destination[];
    /** Every destination with how it is. */
    [Symbol.iterator](): IterableIterator<[Destination, Status]>;
    /** What `begin` would do with a call, and why, as of the last time seen. Changes nothing. */
    explain(call: string | Uint8Array | Call): Explanation;
    /** How full a set is, and how large it should be; `null` where nobody says what they can carry. */
    capacity(set?: number): Capacity | null;
    /** The destinations of a set to drain first: those with the fewest calls left. */
    drainCandidates(count: number, set?: number): Destination[];
    /** All metrics in the Prometheus text format. For `prom-client` there is `callsteer/prometheus`. */
    metrics(): string;
    /**
     * Goes on by a clock that begins anew: it shows `now`, when `away` milliseconds have passed since the last time
     * seen. Spans go on where they were, and what is over by now is done.
     */
    resume(options?: {
        away?: number | undefined;
    }, now?: number): void;
    /**
     * Everything that it knows, as bytes for {@link Dispatcher.restore}, with a version and a checksum. Calls are in
     * it by keyed hashes of their Call-IDs, with the key: it is as secret as the configuration.
     */
    snapshot(): Uint8Array;
    /** The same as JSON, for people; {@link Dispatcher.restore} reads it, too. */
    snapshotJson(): string;
    /** Gives back timers and memory at once. Every other method fails from now on, but `dispose`. */
    dispose(): void;
    /** As {@link Dispatcher.dispose}. */
    [Symbol.dispose](): void;
}
