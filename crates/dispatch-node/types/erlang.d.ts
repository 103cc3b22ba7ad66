/** Erlang B: how many calls find no room where calls arrive at random and nobody waits. */
/** The share of calls (0 to 1) that finds all slots taken where so many erlangs are offered. */
export declare function blocking(erlangs: number, slots: number): number;
/** The fewest slots that block no more than the share `target` of calls; `null` where there is no such number. */
export declare function slotsFor(erlangs: number, target: number): number | null;
/** The load in erlangs of which so many slots block the share `target`. */
export declare function erlangsFor(slots: number, target: number): number | null;
/** The calls in progress per slot at which so many slots block the share `target`. */
export declare function highestUtilisation(slots: number, target: number): number | null;
