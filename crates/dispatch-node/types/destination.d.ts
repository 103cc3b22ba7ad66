/** A destination of a dispatcher. */
import type { Description } from './types';
/**
 * A destination of a dispatcher: frozen, and the same object for as long as it is described as it is, so
 * that calls placed there cost no new object. After an update there is another one; the old one still
 * names the destination.
 */
export declare class Destination implements Required<Description> {
    #private;
    /** Its set. */
    readonly set: number;
    /** What identifies it in its set. */
    readonly id: string;
    /** Where calls are sent. */
    readonly uri: string;
    /** Share of the calls; also the capacity that loads are compared by. */
    readonly weight: number;
    /** Concurrent calls at most; 0 is no limit. */
    readonly maxCalls: number;
    /** New calls per second at most; 0 is no limit. */
    readonly maxRate: number;
    /** The higher, the earlier `priority` chooses it. */
    readonly priority: number;
    /** Whether it is probed, whatever the probing mode says. */
    readonly probing: 'by_mode' | 'flagged' | 'never';
    /** The state in which it joined. */
    readonly starts: 'active' | 'trying' | 'inactive' | 'disabled';
    /** Whatever else its owner wants to find again. */
    readonly attrs: {
        readonly [name: string]: string;
    };
    private constructor();
}
