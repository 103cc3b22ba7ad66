/** One dispatcher among several: signs of life, deltas, places, and calls that others placed. */
import type { Dispatcher } from '../dispatcher';
import type { Blame, Call, Placed } from '../types';
/** A call is not here, and the engine or the replica that has it is not reached: try again soon. */
export declare class NoEngine extends Error {
    readonly code = "no_engine";
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
export declare class Replica {
    #private;
    readonly id: string;
    readonly epoch: number;
    readonly isStrict: boolean;
    /** How often what happened; `metrics()` says what they mean. */
    readonly counts: Record<keyof typeof COUNTS, number>;
    isConnected: boolean;
    /** `url` is `redis://`, `rediss://` (TLS) or `unix://`, with user and password for an ACL. */
    constructor(dispatcher: Dispatcher, url: string, options?: ReplicaOptions);
    start(): void;
    stop(): void;
    /**
     * Places a call, as `Dispatcher.begin`. Where places are leased it asks the engine for one, and moves on
     * while there is none; else it waits for nobody. {@link Elsewhere} where another replica has it.
     *
     * @throws CallsteerError as `Dispatcher.begin`
     */
    begin(call: Call & {
        readonly callId: string;
    }): Promise<Placed | Elsewhere>;
    /** Where a call is. @throws CallsteerError `no_such_call`; {@link NoEngine} */
    show(callId: string): Promise<Elsewhere>;
    /** `Dispatcher.confirmCall`, whoever placed it. @throws CallsteerError `no_such_call`; {@link NoEngine} */
    confirm(callId: string): Promise<void>;
    /**
     * `Dispatcher.failCall`, whoever placed it, and `nextCall` where another bridge may do better; `retryAfter`
     * in ms. Whom it counts against, and where the call is now; `null` where it did not move.
     *
     * @throws CallsteerError `no_such_call`, `invalid_reply`; {@link NoEngine}
     */
    fail(callId: string, reply: number | 'timeout' | 'unreachable', retryAfter?: number): Promise<{
        blame: Blame;
        movedTo: Elsewhere | null;
    }>;
    /** `Dispatcher.endCall`, whoever placed it. @throws {@link NoEngine} */
    end(callId: string): Promise<boolean>;
    /** Tells all others something that only one of them was told: a bridge's report, a list. */
    tell(said: Record<string, unknown>): void;
    /** How it is connected, in the text format of Prometheus. */
    metrics(): string;
}
declare const COUNTS: {
    engine_errors: string;
    deltas_sent: string;
    deltas_heard: string;
    places_refused: string;
    places_alone: string;
    calls_twice: string;
    asked: string;
    answered: string;
    taken_over: string;
};
export {};
