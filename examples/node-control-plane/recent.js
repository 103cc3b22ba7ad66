// The last calls placed, and what their bridges were compared by then.

/** So many are kept, and so many are explained within a second. */
const MOST = 20;

export class RecentCalls {
  #calls = [];
  /** When the last ones were explained, the oldest first. */
  #explained = [];

  /**
   * The rows of `explain()`, before the call is placed. Explaining a call costs more than placing it, the
   * more bridges the more: under load not all of them are explained, and have no rows.
   */
  rows(now, explain) {
    if (this.#explained.length === MOST) {
      if (now - this.#explained[0] < 1000) {
        return [];
      }
      this.#explained.shift();
    }
    this.#explained.push(now);
    return explain().rows;
  }

  add(now, callId, destination, rows) {
    this.#calls.unshift({ at: now / 1000, call_id: callId, destination, rows });
    this.#calls.splice(MOST);
  }

  /** The youngest first. */
  list() {
    return this.#calls;
  }
}
