/** How destinations and sets are, and why a call would go where it would go. */
import type { Destination } from '../destination';
import type { Code } from '../errors';
import type { Algorithm } from './config';
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
    /** Calls of this dispatcher in progress there. */
    readonly calls: number;
    /** The sum of the costs of these calls. */
    readonly load: number;
    /** Calls that other replicas have there, as far as known. */
    readonly elsewhere: number;
    /** Calls placed there so far. */
    readonly placed: number;
    /** How often it has been ejected. */
    readonly ejected: number;
    /** Its last score, over a minute or more where it reports that. */
    readonly score: number | null;
}
/** What is known of another replica. */
export interface Replica {
    /** Its name. */
    readonly id: string;
    /** Its start. */
    readonly epoch: number;
    /** When it was heard for the last time. */
    readonly at: number;
    /** Whether that is so long ago that nothing of it counts. */
    readonly lost: boolean;
    /** Its calls in progress, as it said last. */
    readonly calls: number;
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
