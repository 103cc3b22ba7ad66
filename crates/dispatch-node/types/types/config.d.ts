/** What the user decides once. Times and durations are milliseconds. */
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
    /** Who this one is among them, where they share what they know. */
    readonly replicas?: ReplicasConfig | null;
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
/** Who a dispatcher is among several over one fleet that share what they know. */
export interface ReplicasConfig {
    /** Its name, which no other has at the same time. */
    readonly id: string;
    /** Greater each time that it starts; the time of the start will do. */
    readonly epoch: number;
    /** How `maxCalls` is kept: each its own share, or by places leased of an engine. */
    readonly limits?: 'shares' | 'leases';
    /** What a replica said that was not heard for so long counts no more. */
    readonly lostAfter?: number;
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
