// The one owner of the dispatcher: every command over HTTP comes here, and everything runs on one thread.

import cluster from 'node:cluster';
import { isMainThread } from 'node:worker_threads';

import { Dispatcher, List } from 'callsteer';
import { registerMetrics } from 'callsteer/prometheus';
import { Registry } from 'prom-client';

import { bridgeOf, capacityOf, destinationOf, explanationOf } from './answers.js';
import { FreeSwitches } from './freeswitch/fleet.js';
import { Kept, keep } from './kept.js';
import { Prober, checkProbeable } from './probe/prober.js';
import { RecentCalls } from './recent.js';
import { Refusal } from './refusal.js';
import { ReportKeys } from './report-keys.js';
import { SettingsError, named } from './settings.js';

/** A dispatcher that is asked over HTTP, the prober of its bridges, and the listener to their events. */
export class ControlPlane {
  reportKeys;
  #dispatcher;
  #prober;
  #freeSwitches;
  #registry = new Registry();
  #recent = new RecentCalls();
  #syncing;
  #log;

  /** Throws a SettingsError where the settings cannot work. */
  constructor(settings, log) {
    refuseSeveral();
    this.#log = log;
    const { dispatcher, hasOtherBridges } = named(settings.configName, () => dispatcherOf(settings));
    this.#dispatcher = dispatcher;
    this.#prober = new Prober(this.#dispatcher, log);
    this.#freeSwitches = new FreeSwitches(this.#dispatcher, settings.eventSocketPassword, log);
    // A list that was posted since stays, until this one is another than the time before.
    if (hasOtherBridges) {
      named(settings.listName, () => this.replaceList(settings.list, { dryRun: false }));
    } else {
      this.#freeSwitches.sync();
    }
    registerMetrics(this.#dispatcher, this.#registry);
    this.reportKeys = new ReportKeys(settings.reportKeys);
    const known = new Set(this.#dispatcher.destinations().map(({ id }) => id));
    for (const id of this.reportKeys.ids().filter((id) => !known.has(id))) {
      log.warn({ bridge: id }, 'there is a report key, and no such bridge');
    }
  }

  /** Probes and listens from now on. */
  start() {
    this.#dispatcher.on('event', (event) => this.#note(event));
    this.#prober.start();
    this.#freeSwitches.start();
    this.#syncing = this.#isKept() ? setInterval(() => this.#dispatcher.sync(), 1000).unref() : undefined;
  }

  stop() {
    this.#prober.stop();
    this.#freeSwitches.stop();
    clearInterval(this.#syncing);
    if (this.#isKept()) {
      this.#dispatcher.close();
    } else {
      this.#dispatcher.dispose();
    }
  }

  /** Ends as a process does that is killed: for tests. */
  crash() {
    this.#dispatcher.crash();
  }

  // Calls

  /** Places a call; `isRepeated` where it was in progress already. */
  begin(call) {
    const known = this.#dispatcher.callOf(call.callId);
    const rows = known === null ? this.#recent.rows(unixTime(), () => this.explain(call)) : [];
    const { lease, destination, panic } = this.#dispatcher.begin(call);
    const answer = { call_id: call.callId, lease, destination: destinationOf(destination), panic };
    const isRepeated = lease === known;
    if (!isRepeated) {
      this.#recent.add(unixTime(), call.callId, answer.destination, rows);
    }
    return { answer, isRepeated };
  }

  /** Where a call is. */
  call(callId) {
    const lease = this.#dispatcher.callOf(callId);
    const destination = lease && this.#dispatcher.destinationOf(lease);
    if (!destination) {
      throw new Refusal(404, 'no_such_call', 'the call has ended, or never was');
    }
    return { call_id: callId, lease, destination: destinationOf(destination) };
  }

  confirm(callId) {
    this.#dispatcher.confirmCall(callId);
  }

  /** Counts a failure, and moves the call on where another bridge may do better. `retryAfter` in seconds. */
  fail(callId, { reply, retryAfter }) {
    const failure = typeof reply === 'number' ? { reply, retryAfter: milliseconds(retryAfter) } : reply;
    const blame = this.#dispatcher.failCall(callId, failure);
    const moved = blame === 'caller' ? null : this.#next(callId);
    return { blame, moved_to: moved && destinationOf(moved) };
  }

  end(callId) {
    this.#dispatcher.endCall(callId);
  }

  // Bridges

  bridges() {
    return Array.from(this.#dispatcher, ([destination, status]) => bridgeOf(destination, status));
  }

  /** `report` as `callsteer` takes it. */
  report(id, set, report) {
    this.#dispatcher.report(this.#find(id, set), report);
  }

  /** `deadline` in seconds, or undefined. */
  drain(id, set, deadline) {
    this.#dispatcher.drain(this.#find(id, set), deadline === undefined ? {} : { deadline: milliseconds(deadline) });
  }

  setEnabled(id, set, enabled) {
    this.#dispatcher.setEnabled(this.#find(id, set), enabled);
  }

  /**
   * What a bridge has in progress, by Call-IDs or by their number: what it has not ends here, and what is not known
   * here counts from now on.
   */
  reconcile(id, set, calls) {
    return this.#dispatcher.reconcile(this.#find(id, set), calls);
  }

  /** Takes another dispatcher.list, as a whole or not at all. */
  replaceList(file, { dryRun }) {
    const list = new List(file);
    const probes = this.#dispatcher.config().probing.mode !== 'off';
    for (const { line, destination } of list.entries()) {
      try {
        this.#freeSwitches.check(destination);
        if (probes) {
          checkProbeable(destination);
        }
      } catch (error) {
        throw Object.assign(error, { message: `line ${line}: ${error.message}` });
      }
    }
    const plan = this.#dispatcher.plan(list);
    if (!dryRun) {
      if (this.#isKept()) {
        this.#dispatcher.applyList(file);
      } else {
        this.#dispatcher.apply(plan);
      }
      this.#freeSwitches.sync();
    }
    return { changes: plan.toString().split('\n').filter(Boolean), applied: !dryRun };
  }

  // Looking

  explain(call) {
    return explanationOf(this.#dispatcher.explain(call));
  }

  /** The last calls placed, the youngest first. */
  recent() {
    return this.#recent.list();
  }

  /** Of set 1 where none is said. */
  capacity(set) {
    const capacity = this.#dispatcher.capacity(set);
    if (!capacity && !this.#dispatcher.destinations().some((destination) => destination.set === (set ?? 1))) {
      throw new Refusal(404, 'no_such_set', 'the set has no bridges');
    }
    return capacityOf(capacity);
  }

  /** In the text format of Prometheus, whose type says its version. */
  async metrics() {
    return { type: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  // Private

  #isKept() {
    return this.#dispatcher instanceof Kept;
  }

  #find(id, set = 1) {
    const destination = this.#dispatcher.find(set, id);
    if (!destination) {
      throw new Refusal(404, 'no_such_destination', `set ${set} has no bridge ${JSON.stringify(id)}`);
    }
    return destination;
  }

  /** Another bridge for a call; null where there is none. */
  #next(callId) {
    try {
      return this.#dispatcher.nextCall(callId).destination;
    } catch (error) {
      if (error.code === 'exhausted') {
        return null;
      }
      throw error;
    }
  }

  #note({ kind, destination, ...event }) {
    const who = destination ? { bridge: destination.id, set: destination.set } : {};
    this.#log.info({ ...who, ...event }, kind);
    if (kind === 'removed') {
      this.#freeSwitches.sync();
    }
  }
}

/** One that is written down where there is a file for that. */
function dispatcherOf({ config, list, state, stateSync }) {
  if (state === undefined) {
    return { dispatcher: new Dispatcher(config, { clock: unixTime }), hasOtherBridges: true };
  }
  const { kept, hasOtherBridges } = keep({ path: state, sync: stateSync, config, bridges: list, clock: unixTime });
  return { dispatcher: kept, hasOtherBridges };
}

/** Each of several dispatchers would count its own calls only, and bridges would get more than `max_calls`. */
function refuseSeveral() {
  if (!isMainThread || cluster.isWorker) {
    const where = isMainThread ? 'a worker of a cluster' : 'a worker thread';
    throw new SettingsError(
      `${where} would have a dispatcher of its own, which knows nothing of the calls that others place: ` +
        'run one control plane, on the main thread, and let workers ask it over HTTP',
    );
  }
}

/** The clock of the dispatcher: that of Unix, in milliseconds, but never running back. */
const unixTime = () => performance.timeOrigin + performance.now();
const milliseconds = (seconds) => (seconds === undefined || seconds === null ? undefined : seconds * 1000);
