/** What bridges say about themselves, and what that heals. */

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
