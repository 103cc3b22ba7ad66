/** Calls that wait for room, in the order in which they came. */
export {};
