/** What a new list would change. */
import type { Change } from './types';
/** What a new list would change, as `dispatcher.plan` finds it. Printed, it is one line per change. */
export declare class Plan {
    #private;
    /** The changes: removals, then updates and additions in the order of the list. */
    readonly changes: readonly Change[];
    /** How many destinations stay as they are. */
    readonly kept: number;
    private constructor();
    /** One line per change, and how many stay. */
    toString(): string;
}
