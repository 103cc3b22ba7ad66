/** Destinations and calls, as their owner describes them, and what becomes of them. */
import type { Destination } from '../destination';
/** A destination as its owner describes it; everything but the URI has a default. */
export interface Description {
    /** Where calls are sent. Not interpreted: a SIP URI, an HTTP URL, a name. */
    readonly uri: string;
    /** What identifies it in its set across changes; the URI, if not given. */
    readonly id?: string;
    /** Share of the calls, 1 to 65,535; also the capacity that loads are compared by. */
    readonly weight?: number;
    /** Concurrent calls at most; 0 is no limit. */
    readonly maxCalls?: number;
    /** New calls per second at most; 0 is no limit. */
    readonly maxRate?: number;
    /** The higher, the earlier `priority` chooses it. */
    readonly priority?: number;
    /** Whether it is probed, whatever the probing mode says. */
    readonly probing?: 'by_mode' | 'flagged' | 'never';
    /** The state in which it joins. */
    readonly starts?: 'active' | 'trying' | 'inactive' | 'disabled';
    /** Whatever else its owner wants to find again. Not interpreted. */
    readonly attrs?: {
        readonly [name: string]: string;
    };
}
/** A call that wants a destination. */
export interface Call {
    /** SIP's Call-ID, or whatever else identifies the call. Only a keyed hash of it is kept. */
    readonly callId: string | Uint8Array;
    /** Where the call wants to go. Set 1, if not given. */
    readonly set?: number | undefined;
    /** What `call_id_hash` and `kamailio` hash in place of the Call-ID: a caller, a conversation. */
    readonly key?: string | Uint8Array | undefined;
    /** What kind of call it is: `load_score` learns what each kind costs. */
    readonly class?: string | undefined;
    /** What it adds to the load of its destination, 1 to 65,535. */
    readonly cost?: number | undefined;
    /** Whose call it is, for limits. */
    readonly tenant?: string | undefined;
}
/** The handle of a call in progress: a whole number below 2^53, never 0, never that of another call later. */
export type Lease = number;
/** A destination that was chosen. */
export interface Picked {
    /** Where it goes. */
    readonly destination: Destination;
    /** So few destinations are healthy that health was ignored. */
    readonly panic: boolean;
}
/** A call that has a destination and is counted there. */
export interface Placed extends Picked {
    /** The call's handle, for `confirm`, `fail`, `next` and `end`. */
    readonly lease: Lease;
}
/** A reply with its status and its Retry-After. */
export interface Reply {
    /** The SIP status. */
    readonly reply: number;
    /** Its Retry-After, in milliseconds. */
    readonly retryAfter?: number | undefined;
}
/** What happened to a call: a final reply of 300 to 699, nothing in time, or it could not be sent. */
export type Failure = number | Reply | 'timeout' | 'unreachable';
/** What a probe brought: a reply of 100 to 699, or none. */
export type ProbeResult = Failure;
/**
 * Whom a failure counts against: the destination (try `next`), nobody, as it said for how long it is full
 * (try `next`), or the caller (`end` the call).
 */
export type Blame = 'destination' | 'busy' | 'caller';
