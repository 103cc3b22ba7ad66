// The one owner of the dispatcher: every command over HTTP comes here, and everything runs on one thread.

import cluster from 'node:cluster';
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { isMainThread } from 'node:worker_threads';

import { Dispatcher, List, parseReport } from 'callsteer';
import { registerMetrics } from 'callsteer/prometheus';
import { Replica } from 'callsteer/redis';
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
  /** What it shares with others; undefined where it is alone. */
  #replica;
  #registry = new Registry();
  #recent = new RecentCalls();
  #syncing;
  #log;

  /** Throws a SettingsError where the settings cannot work. */
  constructor(settings, log) {
    if (!settings.replicas) {
      refuseSeveral();
    }
    this.#log = log;
    const { dispatcher, hasOtherBridges } = named(settings.configName, () => dispatcherOf(settings));
    this.#dispatcher = dispatcher;
    this.#replica = settings.replicas && this.#replicaOf(settings.replicas);
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
    this.#replica?.start();
  }

  stop() {
    this.#prober.stop();
    this.#freeSwitches.stop();
    this.#replica?.stop();
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
    const answer = ({ lease, destination, panic }) => {
      const isRepeated = lease === known;
      const said = { call_id: call.callId, lease, destination: destinationOf(destination), panic };
      if (!isRepeated) {
        this.#recent.add(unixTime(), call.callId, said.destination, rows);
      }
      return { answer: said, isRepeated };
    };
    if (!this.#replica) {
      return answer(this.#dispatcher.begin(call));
    }
    // Among others it takes a moment, and perhaps another one has it.
    const elsewhere = (there) => ({
      answer: { call_id: call.callId, lease: there.lease, destination: destinationOf(there), panic: false },
      isRepeated: true,
    });
    return this.#replica.begin(call).then((placed) => (placed.destination ? answer(placed) : elsewhere(placed)));
  }

  /** Where a call is. */
  call(callId) {
    if (this.#replica) {
      const shown = (there) => ({ call_id: callId, lease: there.lease, destination: destinationOf(there) });
      return this.#replica.show(callId).then(shown);
    }
    const lease = this.#dispatcher.callOf(callId);
    const destination = lease && this.#dispatcher.destinationOf(lease);
    if (!destination) {
      throw new Refusal(404, 'no_such_call', 'the call has ended, or never was');
    }
    return { call_id: callId, lease, destination: destinationOf(destination) };
  }

  confirm(callId) {
    return this.#replica ? this.#replica.confirm(callId) : this.#dispatcher.confirmCall(callId);
  }

  /** Counts a failure, and moves the call on where another bridge may do better. `retryAfter` in seconds. */
  fail(callId, { reply, retryAfter }) {
    if (this.#replica) {
      const said = ({ blame, movedTo }) => ({ blame, moved_to: movedTo && destinationOf(movedTo) });
      return this.#replica.fail(callId, reply, milliseconds(retryAfter)).then(said);
    }
    const failure = typeof reply === 'number' ? { reply, retryAfter: milliseconds(retryAfter) } : reply;
    const blame = this.#dispatcher.failCall(callId, failure);
    const moved = blame === 'caller' ? null : this.#next(callId);
    return { blame, moved_to: moved && destinationOf(moved) };
  }

  end(callId) {
    return this.#replica ? this.#replica.end(callId) : this.#dispatcher.endCall(callId);
  }

  // Bridges

  bridges() {
    return Array.from(this.#dispatcher, ([destination, status]) => bridgeOf(destination, status));
  }

  /** `report` as `callsteer` takes it. */
  report(id, set, report) {
    this.#dispatcher.report(this.#find(id, set), report);
    this.#replica?.tell({ report: inCoreNames(report), id, set: set ?? 1 });
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
      this.#replica?.tell({ list: Buffer.from(file).toString('base64') });
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
    const text = await this.#registry.metrics();
    return { type: this.#registry.contentType, text: text + (this.#replica?.metrics() ?? '') };
  }

  // Private

  #isKept() {
    return this.#dispatcher instanceof Kept;
  }

  #replicaOf({ url, namespace }) {
    const onEngine = (isReached, why) =>
      isReached ? this.#log.info('the engine is reached') : this.#log.warn({ why }, 'goes on alone');
    try {
      return new Replica(this.#dispatcher, url, { namespace, onTold: (said) => this.#hear(said), onEngine });
    } catch (error) {
      throw new SettingsError(`--replicas: ${error.message}`);
    }
  }

  /** Takes what another replica was told: a report, a list. */
  #hear(said) {
    try {
      if (said.report) {
        this.#dispatcher.report(this.#find(said.id, said.set), parseReport(JSON.stringify(said.report)));
      } else {
        this.#dispatcher.apply(this.#dispatcher.plan(new List(Buffer.from(said.list, 'base64'))));
        this.#freeSwitches.sync();
      }
    } catch (error) {
      this.#log.info({ replica: said.from, why: error.message }, 'what a replica tells is refused');
    }
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
function dispatcherOf({ config, list, replicas, state, stateSync }) {
  if (state === undefined) {
    return { dispatcher: new Dispatcher(amongReplicas({ config, replicas }), { clock: unixTime }), hasOtherBridges: true };
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
        'run one control plane, on the main thread, or each with --replicas, and let workers ask it over HTTP',
    );
  }
}

/** The configuration of the dispatcher, with its own name where it has others. */
function amongReplicas({ config, replicas }) {
  if (!replicas) {
    return config;
  }
  const own = { ...config.replicas };
  own.id = replicas.id ?? (own.id || `${hostname()}-${randomBytes(4).toString('hex')}`);
  own.epoch ||= Date.now();
  // Each draws its own random numbers; what must be the same, the key of hashes, is in the configuration.
  return { ...config, seed: config.seed || randomBytes(6).readUIntBE(0, 6), replicas: own };
}

/** A report as it goes over the wire: names of the core, and seconds. */
function inCoreNames({ score, activeCalls, measuredAt, sequence, sustained, capacity, draining }) {
  const seconds = measuredAt === undefined || measuredAt === null ? undefined : measuredAt / 1000;
  return { score, active_calls: activeCalls, measured_at: seconds, sequence, sustained, capacity, draining };
}

/** The clock of the dispatcher: that of Unix, in milliseconds, but never running back. */
const unixTime = () => performance.timeOrigin + performance.now();
const milliseconds = (seconds) => (seconds === undefined || seconds === null ? undefined : seconds * 1000);
