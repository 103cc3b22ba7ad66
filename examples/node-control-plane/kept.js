// A dispatcher that is written down: whatever changes it stands in a file before it is done.

import { createRequire } from 'node:module';

import { CallsteerError, Destination, Dispatcher, List } from 'callsteer';

import { GO_ON, StateError, Store } from './store.js';

/** Whatever else changes something, with everything that may be left out but the time. */
const CHANGES = [
  'begin',
  'nextCall',
  'confirmCall',
  'failCall',
  'endCall',
  'probeResult',
  'report',
  'reconcile',
  'drain',
  'setEnabled',
];

/**
 * A dispatcher whose commands and reports go to a store first. Events since the last snapshot come again after a
 * crash. Make it by {@link keep}.
 */
export class Kept extends Dispatcher {
  /** Where it is written down; not before it is as it was. */
  #store;
  #clock;
  #saved;
  /** Something was done that could not be written down. */
  #isBehind = false;
  /** The last time that it has seen. */
  #last = 0;

  /** Goes on as a dispatcher that is written down, from now on. */
  written(store, { clock, config, bridges, last }) {
    this.#store = store;
    this.#clock = clock;
    this.#saved = { config, bridges };
    this.#last = last;
    this.compact();
    return this;
  }

  /** Takes the bridges of a list, as a whole. */
  applyList(file) {
    this.#do('applyList', [file.toString()]);
  }

  pollProbe(now = this.#clock()) {
    const probe = super.pollProbe(now);
    this.#last = now;
    // Where none is due nothing changes; one that a crash loses is due again.
    if (probe !== null) {
      try {
        this.#store.append(now, 'pollProbe', []);
      } catch {
        // Probes go on. The next snapshot has what the journal lacks, and whoever writes next is told.
        this.#isBehind = true;
      }
    }
    return probe;
  }

  pollEvent(now = this.#clock()) {
    this.#last = now;
    return super.pollEvent(now);
  }

  /** Puts a snapshot in the place of what was written down so far. */
  compact() {
    this.#store.replace({ data: this.snapshot(), at: this.#last, version: VERSION, ...this.#saved });
    this.#isBehind = false;
  }

  sync() {
    this.#store.sync();
  }

  /** Ends in order: the next start has nothing to do again. */
  close() {
    this.compact();
    this.crash();
  }

  /** Ends as a process does that is killed: for tests. */
  crash() {
    this.#store.close();
    this.dispose();
  }

  static {
    for (const name of CHANGES) {
      Kept.prototype[name] = function (...given) {
        return this.#do(name, given);
      };
    }
  }

  #do(name, given) {
    // A snapshot takes as long as there are calls: so many operations share it.
    if (this.#isBehind || this.#store.length >= Math.max(Kept.longest, this.stats().calls)) {
      this.compact();
    }
    const now = this.#clock();
    this.#store.append(now, name, given.map(written));
    this.#last = now;
    return perform(this, name, given, now);
  }

  /** Operations that are done again after a crash at most, unless there are more calls than that. */
  static longest = 10_000;
}

/**
 * Goes on where the process before ended, or begins. `hasOtherBridges` where it is started with another list of
 * bridges than the time before. Throws a StateError or a CallsteerError.
 */
export function keep({ path, sync, config, bridges, clock }) {
  const store = new Store(path, sync);
  try {
    const saved = store.load();
    const said = { clock, config: JSON.stringify(config), bridges };
    const hasOtherBridges = saved === undefined || Buffer.compare(saved.bridges, bridges) !== 0;
    if (saved === undefined) {
      const kept = new Kept(config, { clock });
      const last = clock();
      // As after a restart: its time begins now.
      kept.resume({}, last);
      return { kept: kept.written(store, { ...said, last }), hasOtherBridges };
    }
    check(store, saved, said.config);
    return { kept: restored(store, saved, clock).written(store, { ...said, last: clock() }), hasOtherBridges };
  } catch (error) {
    store.close();
    throw error;
  }
}

function check(store, saved, config) {
  if (saved.config !== config) {
    throw new StateError(
      `${store.path} was made with another configuration: start with that one, or with another file. ${GO_ON}`,
    );
  }
  if (saved.version !== VERSION && store.length > 0) {
    throw new StateError(
      `${store.path} was made by version ${saved.version}, which ended in the middle of its work: start that one ` +
        `once, and end it in order. ${GO_ON}`,
    );
  }
}

function restored(store, saved, clock) {
  let kept;
  let last = saved.at;
  try {
    kept = Kept.restore(saved.data, { clock, now: saved.at });
    for (const { at, name, given } of store.operations()) {
      again(kept, name, given, at);
      last = Math.max(last, at);
    }
  } catch (error) {
    throw error instanceof StateError ? error : store.damaged(error);
  }
  // The clock may have been set back meanwhile: nothing then waits until it is there again.
  const now = clock();
  kept.resume({ away: Math.max(0, now - last) }, now);
  return kept;
}

/** Does what is written down so. */
function again(kept, name, given, at) {
  if (!['applyList', 'pollProbe', ...CHANGES].includes(name)) {
    throw new Error(`operation ${JSON.stringify(name)} is not known`);
  }
  const known = given.map((one) => read(one, kept));
  if (known.includes(null)) {
    return;
  }
  try {
    perform(kept, name, known, at);
  } catch (error) {
    // What was refused then is refused now.
    if (!(error instanceof CallsteerError)) {
      throw error;
    }
  }
}

function perform(kept, name, given, now) {
  const of = Dispatcher.prototype;
  if (name === 'applyList') {
    return of.apply.call(kept, of.plan.call(kept, new List(given[0])), now);
  }
  return of[name].call(kept, ...given, now);
}

/** An argument as JSON has it. */
function written(given) {
  return given instanceof Destination ? { destination: [given.set, given.id] } : given;
}

/** The argument that was written so; null for a destination that left. */
function read(said, kept) {
  return said?.destination ? kept.find(...said.destination) : said;
}

const VERSION = createRequire(import.meta.url)('callsteer/package.json').version;
