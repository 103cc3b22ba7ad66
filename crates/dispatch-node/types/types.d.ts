/** What goes into a dispatcher and what comes out. Times and durations are milliseconds. */
import type { Code } from './errors';
import type { Destination } from './destination';
/** How a destination of a set is chosen. The README says what each is good for. */
export type Algorithm = 'round_robin' | 'call_id_hash' | 'weighted' | 'call_load' | 'priority' | 'random' | 'power_of_two' | 'load_score'
/** By the call's key; with `bound` (1.25, say) nobody above that multiple of the mean load. At least 1. */
 | {
    readonly callIdHash: {
        readonly bound?: number | null;
    };
}
/** As Kamailio's dispatcher decides, by its number, bit for bit. */
 | {
    readonly kamailio: {
        /** 0 to 11, 14 or 15. */
        readonly alg: number;
        /** The last one of the order is spare. */
        readonly useDefault?: boolean;
        /** Hash as Kamailio does where C's `char` has no sign, as on ARM. */
        readonly unsignedBytes?: boolean;
    };
};
/** One step of a policy: this set, by this algorithm. */
export interface Route {
    /** The set whose destinations are tried. */
    readonly set: number;
    /** How one of them is chosen. */
    readonly algorithm: Algorithm;
}
/** Limits of a tenant. */
export interface TenantLimits {
    /** Concurrent calls at most; 0 is no limit. */
    readonly maxCalls?: number;
    /** New calls per second at most, with at most one second's worth at once; 0 is no limit. */
    readonly maxRate?: number;
}
/** What the user decides once. What is not given has the default of the library, which `config()` shows. */
export interface Config {
    /**
     * Drives every random choice. Give each dispatcher over the same fleet another one. At most 2^64 - 1;
     * above 2^53 - 1 as a bigint.
     */
    readonly seed?: number | bigint;
    /** The secret key of `call_id_hash`; dispatchers that must agree share it. The seed, if not given. */
    readonly hashKey?: number | bigint | null;
    /** The algorithm of a set without a policy of its own. */
    readonly algorithm?: Algorithm;
    /** For a call to this set: the routes to try, in order. */
    readonly policies?: {
        readonly [set: number]: readonly Route[];
    };
    /** A call that is not confirmed for so long after `begin` or `next` ends. */
    readonly setupTimeout?: number;
    /** A confirmed call ends after so long. */
    readonly maxDuration?: number;
    /** Calls in progress at most, over all sets. */
    readonly maxCallsTotal?: number;
    /** What a refused caller is told to wait where nothing better is known. */
    readonly retryAfter?: number;
    /** Limits of named tenants. */
    readonly tenants?: {
        readonly [name: string]: TenantLimits;
    };
    /** Limits of every other tenant. */
    readonly tenantDefault?: TenantLimits;
    /** Dispatchers over the same fleet, each of which sees its own calls and all reports. */
    readonly dispatchers?: number;
    /** One that joins a set that takes calls, or comes back, has its weight ramped up in this time; 0 is off. */
    readonly warmUp?: number;
    /** When a destination counts as down, and up again. */
    readonly health?: HealthConfig;
    /** When calls that fail take a destination out for a while. */
    readonly ejection?: EjectionConfig;
    /** Which destinations are probed, and how often. */
    readonly probing?: ProbingConfig;
    /** When a set should grow or shrink; without it nothing is said of that. */
    readonly scaling?: ScalingConfig | null;
    /** Events kept for `pollEvent`; the oldest is dropped beyond that. */
    readonly maxEvents?: number;
}
/** When probes take a destination down and bring it back. */
export interface HealthConfig {
    /** Failed probes in a row that take a destination down. */
    readonly probingThreshold?: number;
    /** Answered probes in a row that bring it back. */
    readonly inactiveThreshold?: number;
    /** The longest Retry-After that is believed. */
    readonly maxRetryAfter?: number;
    /** Below this share (0 to 1) of healthy ones among those in service, a set ignores health. */
    readonly panicThreshold?: number;
}
/** When calls that fail take a destination out for a while, whatever probes say. */
export interface EjectionConfig {
    /** Whether anybody is ejected at all. */
    readonly enabled?: boolean;
    /** Failed calls in a row that eject. */
    readonly consecutiveFailures?: number;
    /** Share of failed calls in the window that ejects, 0 to 1. */
    readonly failureShare?: number;
    /** Calls in the window before their share counts. */
    readonly minAttempts?: number;
    /** How far back failures count. */
    readonly window?: number;
    /** The first ejection lasts so long, the n-th one in a row 2^(n-1) times as long. */
    readonly baseTime?: number;
    /** No ejection lasts longer. */
    readonly maxTime?: number;
    /** The largest share of a set that may be out at a time, 0 to 1. */
    readonly maxShare?: number;
}
/** How destinations are probed. */
export interface ProbingConfig {
    /** Who is probed; all but `off` are Kamailio's `ds_probing_mode` 0 to 3. */
    readonly mode?: 'off' | 'suspects' | 'all' | 'inactive' | 'flagged';
    /** From one probe of a destination to its next, +- 10 %. */
    readonly interval?: number;
    /** A probe without result for so long has failed. */
    readonly timeout?: number;
    /** The reply codes that mean "alive": whole classes (1 to 6) and single codes (100 to 699). */
    readonly accepted?: {
        readonly classes?: readonly number[];
        readonly codes?: readonly number[];
    };
}
/** When a set should grow or shrink. */
export interface ScalingConfig {
    /** A fleet above this utilisation, or with more than this share of calls blocked (Erlang B), should grow. */
    readonly threshold?: {
        readonly fixed: number;
    } | {
        readonly targetBlocking: number;
    };
    /** It should grow, too, when its busiest bridges are above this share of their capacity. */
    readonly busiest?: number | null;
    /** It should shrink to where it is below this share of the thresholds, 0 to below 1. */
    readonly lowShare?: number;
    /** How long it must be above a threshold before it grows. */
    readonly hold?: number;
    /** How long it must be below before it shrinks. */
    readonly holdDown?: number;
    /** How long a new bridge takes until it carries calls. */
    readonly leadTime?: number;
    /** Never fewer bridges. */
    readonly minMembers?: number;
    /** Never more bridges; 0 is no limit. */
    readonly maxMembers?: number;
}
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
/** What a bridge says about itself. What it does not say stays as it was. */
export interface Report {
    /** Its load divided by its capacity: 0 to 1000, where 1 is full. */
    readonly score?: number | null;
    /** Calls in progress there, of all dispatchers. */
    readonly activeCalls?: number | null;
    /** When it was measured, by the clock of the dispatcher. Now, if not given. */
    readonly measuredAt?: number | null;
    /** A number that grows with every report of this bridge, where clocks cannot be compared. */
    readonly sequence?: number | null;
    /** The score averaged over a minute or more. */
    readonly sustained?: number | null;
    /** Calls that it can carry, by its own account. */
    readonly capacity?: number | null;
    /** Whether it wants no new calls; `false` takes an earlier `true` back. */
    readonly draining?: boolean | null;
}
/** What reconciliation healed. */
export interface Reconciled {
    /** Calls that were counted there and are not. */
    readonly healed: number;
    /** Calls that are there and were not counted: they are now. */
    readonly adopted: number;
    /** Calls that are there and stay uncounted here. */
    readonly unknown: number;
}
/** What probes observed: up, still up after so many failed probes in a row, down. */
export type Observed = 'active' | {
    readonly trying: number;
} | 'inactive';
/** Whether a destination can take a call, or the first reason why it cannot. */
export type Standing = 'candidate' | 'removed' | 'disabled' | 'draining' | 'inactive' | 'ejected' | 'busy' | 'full' | 'too_fast';
/** How a destination is, as of the last time seen. */
export interface Status {
    /** Its set. */
    readonly set: number;
    /** Whether it can take a call, or why not. */
    readonly standing: Standing;
    /** What the operator wants of it. */
    readonly will: 'enabled' | 'disabled' | 'draining';
    /** What probes observed. */
    readonly observed: Observed;
    /** Until when it said that it is full. */
    readonly busyUntil: number | null;
    /** Calls in progress there. */
    readonly calls: number;
    /** The sum of the costs of these calls. */
    readonly load: number;
    /** Calls placed there so far. */
    readonly placed: number;
    /** How often it has been ejected. */
    readonly ejected: number;
    /** Its last score, over a minute or more where it reports that. */
    readonly score: number | null;
}
/** Counts since the dispatcher was made: `begun + adopted = calls + ended + expired + healed`. */
export interface Stats {
    /** Calls in progress. */
    readonly calls: number;
    /** Calls placed by `begin`, without repetitions. */
    readonly begun: number;
    /** Calls that `begin` found in progress already. */
    readonly repeated: number;
    /** Calls that `begin` refused. */
    readonly refused: number;
    /** Of these: every destination that is up was full. */
    readonly refusedFull: number;
    /** Of these: no destination was up. */
    readonly refusedAllDown: number;
    /** Of these: the set has no destinations. */
    readonly refusedNoSuchSet: number;
    /** Of these: the tenant had all its calls. */
    readonly refusedTenantFull: number;
    /** Of these: faster than a rate limit. */
    readonly refusedTooFast: number;
    /** Of these: nobody could place them. */
    readonly refusedInvalidCall: number;
    /** Calls confirmed. */
    readonly confirmed: number;
    /** Failures at a destination, whoever was to blame. */
    readonly failed: number;
    /** Moves to another destination. */
    readonly moved: number;
    /** Calls ended by `end`. */
    readonly ended: number;
    /** Calls ended by their deadline. */
    readonly expired: number;
    /** Calls ended by `reconcile`. */
    readonly healed: number;
    /** Calls that `reconcile` found and nobody counted. */
    readonly adopted: number;
    /** Calls placed while health was ignored. */
    readonly panics: number;
    /** Reports taken. */
    readonly reports: number;
    /** Reports refused. */
    readonly reportsRefused: number;
}
/** Why a call would go where it would go. */
export interface Explanation {
    /** Where the call would go; `null` where it would be refused. */
    readonly destination: Destination | null;
    /** Why it would be refused. */
    readonly refused: {
        readonly code: Code;
        readonly message: string;
        readonly status: number;
        readonly retryAfterSeconds: number | null;
    } | null;
    /** Every destination on the call's routes. */
    readonly rows: readonly ExplanationRow[];
}
/** One destination of an {@link Explanation}. */
export interface ExplanationRow {
    /** The route, from 0. */
    readonly route: number;
    /** The algorithm of that route. */
    readonly algorithm: Algorithm;
    /** Which destination. */
    readonly destination: Destination;
    /** A candidate, or the reason why not. */
    readonly standing: Standing;
    /** What candidates are compared by, the least first; `null` where nothing is compared. */
    readonly key: number | null;
    /** What `load_score` knows of its load, in units of score x weight; before any report one call is 1. */
    readonly estimate: {
        /** What its calls should cost. */
        readonly predicted: number;
        /** By what share its reports differ from that; smoothed, decayed to now. */
        readonly residual: number;
        /** The estimate. */
        readonly load: number;
        /** How old its last report is, in milliseconds. */
        readonly age: number | null;
        /** Whether its score is believed. */
        readonly trusted: boolean;
    };
}
/** How full a set is. */
export interface Capacity {
    /** The load of those that take calls, in calls or in score x capacity. */
    readonly load: number;
    /** The load that they can carry. */
    readonly capacity: number;
    /** How many they are. */
    readonly members: number;
    /** Calls that they can carry at a time. */
    readonly slots: number;
    /** Calls that arrive per second. */
    readonly arrivalRate: number;
    /** How long a call lasts in the mean, in milliseconds. */
    readonly meanDuration: number | null;
    /** The load of a busy one (99th percentile) divided by its capacity. */
    readonly busiest: number | null;
    /** Load / capacity; 1 where nobody can carry anything. */
    readonly utilisation: number;
    /** How many destinations the set should have; `null` without `scaling`. */
    readonly desired: number | null;
}
/** One change of a plan. */
export type Change = {
    readonly kind: 'add';
    readonly set: number;
    readonly id: string;
    readonly to: Required<Description>;
} | {
    readonly kind: 'update';
    readonly set: number;
    readonly id: string;
    readonly from: Required<Description>;
    readonly to: Required<Description>;
} | {
    readonly kind: 'remove';
    readonly set: number;
    readonly id: string;
    readonly calls: number;
};
/** Something that happened unasked, and when. A destination that is gone for good is `null`. */
export type Event = {
    readonly at: number;
} & ({
    readonly kind: 'added';
    readonly destination: Destination | null;
    readonly set: number;
    readonly id: string;
}
/** It left its set and has no calls any more. */
 | {
    readonly kind: 'removed';
    readonly destination: Destination | null;
    readonly set: number;
    readonly id: string;
}
/** Probes changed what is known of it. */
 | {
    readonly kind: 'health';
    readonly destination: Destination | null;
    readonly observed: Observed;
}
/** It said that it is full, and until when. */
 | {
    readonly kind: 'busy';
    readonly destination: Destination | null;
    readonly until: number;
}
/** Calls fail there: it gets none until then. */
 | {
    readonly kind: 'ejected';
    readonly destination: Destination | null;
    readonly cause: {
        readonly inARow: number;
    } | {
        readonly share: {
            readonly failed: number;
            readonly of: number;
        };
    };
    readonly until: number;
}
/** An ejection is over. */
 | {
    readonly kind: 'returned';
    readonly destination: Destination | null;
}
/** Most of a set fail, so it is not they who are to blame: nobody is ejected. */
 | {
    readonly kind: 'common_cause';
    readonly set: number;
    readonly failing: number;
    readonly of: number;
}
/** Its score contradicts its calls and is ignored, or is believed again. */
 | {
    readonly kind: 'trust';
    readonly destination: Destination | null;
    readonly trusted: boolean;
}
/** A set should have another number of destinations. */
 | {
    readonly kind: 'scale';
    readonly set: number;
    readonly to: 'up' | 'down';
    readonly desired: number;
}
/** A drain is over; `left` calls were still there at the deadline. */
 | {
    readonly kind: 'drained';
    readonly destination: Destination | null;
    readonly left: number;
}
/** A call reached its deadline and ended. */
 | {
    readonly kind: 'expired';
    readonly destination: Destination | null;
    readonly lease: Lease;
    readonly confirmed: boolean;
}
/** Nobody polled for so long that so many events were dropped. */
 | {
    readonly kind: 'lost';
    readonly count: number;
});
