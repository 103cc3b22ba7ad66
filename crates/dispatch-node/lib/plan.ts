/** What a new list would change. */

import { wrongType } from './errors';
import type { NativePlan } from './native';
import type { Change } from './types';

/** What a new list would change, as `dispatcher.plan` finds it. Printed, it is one line per change. */
export class Plan {
  /** The changes: removals, then updates and additions in the order of the list. */
  readonly changes: readonly Change[];
  /** How many destinations stay as they are. */
  readonly kept: number;

  readonly #native: NativePlan;
  readonly #text: string;

  private constructor(native: NativePlan) {
    const { changes, kept, text } = native.said();
    this.changes = changes as Change[];
    this.kept = kept;
    this.#text = text;
    this.#native = native;
  }

  /** One line per change, and how many stay. */
  toString(): string {
    return this.#text;
  }

  /** @internal A plan of the native part. */
  static from(native: NativePlan): Plan {
    return new Plan(native);
  }

  /** @internal What the native part knows it by. */
  static native(plan: Plan): NativePlan {
    if (typeof plan !== 'object' || plan === null || !(#native in plan)) {
      throw wrongType('plan is a Plan, as dispatcher.plan makes one');
    }
    return plan.#native;
  }
}
