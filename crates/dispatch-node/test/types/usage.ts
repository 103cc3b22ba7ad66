// Everything that the types promise, used: compiled with --strict, not run.

import {
  ActiveCall,
  algorithmFromKamailio,
  CallsteerError,
  CODES,
  Destination,
  Dispatcher,
  erlang,
  LIST_CODES,
  List,
  parseAgentCheck,
  parseConfig,
  parseHeartbeat,
  parseHeartbeatJson,
  parseOrca,
  parseOrcaBin,
  parseReport,
  Plan,
  score,
} from 'callsteer';
import type {
  AgentCheck,
  Algorithm,
  Blame,
  Call,
  Capacity,
  Change,
  Code,
  Config,
  Description,
  DispatcherOptions,
  EjectionConfig,
  Entry,
  Event,
  Explanation,
  ExplanationRow,
  Failure,
  HealthConfig,
  Heartbeat,
  Lease,
  Lint,
  ListCode,
  Listener,
  Observed,
  Orca,
  Picked,
  Placed,
  ProbeResult,
  ProbingConfig,
  Reconciled,
  Reply,
  Report,
  Resources,
  Route,
  ScalingConfig,
  Skipped,
  Standing,
  Stats,
  Status,
  Subject,
  TenantLimits,
} from 'callsteer';
import { registerMetrics } from 'callsteer/prometheus';
import { Registry } from 'prom-client';

const algorithms: Algorithm[] = [
  'call_load',
  { callIdHash: { bound: 1.25 } },
  { kamailio: { alg: 4, useDefault: true } },
];
const routes: Route[] = [{ set: 1, algorithm: algorithmFromKamailio(10) }];
const health: HealthConfig = { probingThreshold: 3, inactiveThreshold: 2, maxRetryAfter: 1, panicThreshold: 0 };
const ejection: EjectionConfig = {
  enabled: true,
  consecutiveFailures: 3,
  failureShare: 0.4,
  minAttempts: 5,
  window: 1,
  baseTime: 1,
  maxTime: 1,
  maxShare: 1,
};
const probing: ProbingConfig = { mode: 'suspects', interval: 1, timeout: 1, accepted: { classes: [2], codes: [405] } };
const scaling: ScalingConfig = {
  threshold: { targetBlocking: 0.01 },
  busiest: null,
  lowShare: 0.7,
  hold: 1,
  holdDown: 1,
  leadTime: 1,
  minMembers: 1,
  maxMembers: 0,
};
const limits: TenantLimits = { maxCalls: 1, maxRate: 1 };
const config: Config = {
  seed: 1n,
  hashKey: null,
  algorithm: algorithms[0]!,
  policies: { 1: routes },
  setupTimeout: 1,
  maxDuration: 1,
  maxCallsTotal: 1,
  retryAfter: 1,
  tenants: { sales: limits },
  tenantDefault: limits,
  dispatchers: 1,
  warmUp: 0,
  health,
  ejection,
  probing,
  scaling,
  maxEvents: 1,
};
const options: DispatcherOptions = { clock: () => Date.now() };

export async function everything(signal: AbortSignal): Promise<void> {
  using dispatcher = new Dispatcher(config, options);
  const description: Description = {
    uri: 'sip:a',
    id: 'a',
    weight: 1,
    maxCalls: 1,
    maxRate: 1,
    priority: 1,
    probing: 'never',
    starts: 'trying',
    attrs: { site: 'x' },
  };
  let destination: Destination = dispatcher.add(1, description, 0);
  destination = dispatcher.update(destination, { uri: destination.uri, weight: 2 });
  dispatcher.setEnabled(destination, true);
  dispatcher.drain(destination, { deadline: 1 }, 0);
  const left: number = await dispatcher.drained(destination, { deadline: 1, signal });
  dispatcher.remove(destination);

  const list = new List(Buffer.from(''), { lenient: true });
  list.push(1, description);
  list.update(1, description);
  const gone: boolean = list.remove(1, 'a');
  const entries: Entry[] = list.entries();
  const skipped: Skipped[] = list.skipped();
  const lints: Lint[] = list.lint();
  const file: Uint8Array = list.write();
  const plan: Plan = dispatcher.plan(list);
  dispatcher.plan([[1, description]]);
  dispatcher.plan(list.destinations());
  const changes: readonly Change[] = plan.changes;
  dispatcher.apply(plan);

  const call: Call = { callId: new Uint8Array(1), set: 1, key: 'k', class: 'c', cost: 1, tenant: 't' };
  const placed: Placed = dispatcher.begin(call);
  const many: (Placed | CallsteerError | TypeError)[] = dispatcher.placeMany(new Set(['1']));
  const picked: Picked = dispatcher.pick('1', 0);
  const lease: Lease = placed.lease;
  const moved: Placed = dispatcher.next(lease);
  dispatcher.nextCall('1');
  const reply: Reply = { reply: 503, retryAfter: 1 };
  const failures: Failure[] = [503, reply, 'timeout', 'unreachable'];
  const blame: Blame = dispatcher.fail(lease, failures[0]!);
  dispatcher.failCall('1', 'timeout');
  dispatcher.confirm(lease);
  dispatcher.confirmCall('1');
  const ended: boolean = dispatcher.end(lease) || dispatcher.endCall('1');
  {
    using scoped: ActiveCall = dispatcher.call('1');
    await using other = dispatcher.call(call, 0);
    scoped.confirm();
    const next: Destination = scoped.next();
    const whose: Blame = scoped.fail(486);
    console.log(scoped.lease, scoped.panic, other.destination, next, whose, scoped.end());
  }
  const free: Placed = await dispatcher.beginWhenFree('1', { signal });

  const result: ProbeResult = 200;
  dispatcher.probeResult(destination, result);
  const report: Report = {
    score: 1,
    activeCalls: 1,
    measuredAt: 1,
    sequence: 1,
    sustained: null,
    capacity: 1,
    draining: false,
  };
  dispatcher.report(destination, report);
  const healed: Reconciled = dispatcher.reconcile(destination, ['1']);
  dispatcher.reconcile(destination, 3);

  const probe: Destination | null = dispatcher.pollProbe();
  const event: Event | null = dispatcher.pollEvent();
  const deadline: number | null = dispatcher.nextDeadline();
  const subject: Subject = 'event';
  const listener: Listener<'ejected'> = ({ cause, until }) =>
    console.log('inARow' in cause ? cause.inARow : cause.share.of, until);
  dispatcher
    .on('ejected', listener)
    .off('ejected', listener)
    .once('probe', (probed) => console.log(probed.uri));
  dispatcher.on(subject, ({ at }) => console.log(at));
  for await (const one of dispatcher.events({ signal })) {
    say(one);
  }

  const observed: Observed | undefined = dispatcher.status(destination)?.observed;
  const status: Status | null = dispatcher.status(destination);
  const standing: Standing | undefined = status?.standing;
  const stats: Stats = dispatcher.stats();
  const explained: Explanation = dispatcher.explain(call);
  const rows: readonly ExplanationRow[] = explained.rows;
  const capacity: Capacity | null = dispatcher.capacity(1);
  const candidates: Destination[] = dispatcher.drainCandidates(1, 1);
  for (const [each, how] of dispatcher) console.log(each.id, how.standing);
  console.log(dispatcher.config(), dispatcher.sets(), dispatcher.find(1, 'a'), dispatcher.destinationOf(lease));
  console.log(dispatcher.callOf('1'), dispatcher.tenantCalls('t'), dispatcher.destinations(), dispatcher.metrics());
  const unregister: () => void = registerMetrics(dispatcher, new Registry());
  unregister();
  dispatcher.dispose();
  const thread: symbol = dispatcher.thread;

  const orca: Orca = parseOrca('');
  const agent: AgentCheck = parseAgentCheck('up\n');
  const heartbeat: Heartbeat = parseHeartbeat('');
  const resources: Resources = { resources: [{ name: 'cpu', full: 1, weight: 1 }], combine: 'weighted_sum' };
  console.log(
    parseConfig('{}'),
    parseOrcaBin(''),
    parseHeartbeatJson('{}'),
    parseReport('{}'),
    score(resources, { cpu: 1 }),
  );
  console.log(erlang.blocking(1, 1), erlang.slotsFor(1, 1), erlang.erlangsFor(1, 1), erlang.highestUtilisation(1, 1));
  console.log(
    left,
    gone,
    entries,
    skipped,
    lints,
    file,
    changes,
    many,
    picked,
    moved,
    blame,
    ended,
    free,
    healed,
    probe,
    event,
  );
  console.log(deadline, observed, standing, stats, rows, capacity, candidates, thread, orca, agent, heartbeat);
}

/** What happened, exhaustively: a kind that is not handled would not compile. */
function say(event: Event): string {
  switch (event.kind) {
    case 'added':
    case 'removed':
      return `${event.set}/${event.id}`;
    case 'health':
      return JSON.stringify(event.observed);
    case 'busy':
    case 'ejected':
      return `${event.until}`;
    case 'returned':
      return `${event.destination?.id}`;
    case 'common_cause':
      return `${event.failing} of ${event.of}`;
    case 'trust':
      return `${event.trusted}`;
    case 'scale':
      return `${event.to} to ${event.desired}`;
    case 'drained':
      return `${event.left}`;
    case 'expired':
      return `${event.lease} ${event.confirmed}`;
    case 'lost':
      return `${event.count}`;
  }
}

export function codeOf(error: unknown): Code | ListCode | undefined {
  if (error instanceof CallsteerError) {
    const said: (number | undefined)[] = [
      error.status,
      error.retryAfterMs,
      error.retryAfterSeconds,
      error.line,
      error.column,
    ];
    console.log(said, error.code in CODES ? CODES[error.code as Code] : LIST_CODES[error.code as ListCode]);
    return error.code;
  }
  return undefined;
}

export function refused(dispatcher: Dispatcher, destination: Destination): void {
  // @ts-expect-error a lease is a number
  dispatcher.end('1');
  // @ts-expect-error a destination is one of the dispatcher's
  dispatcher.status({ ...destination });
  // @ts-expect-error a destination does not change
  destination.weight = 2;
  // @ts-expect-error names are in camelCase
  new Dispatcher({ setup_timeout: 1 });
  // @ts-expect-error no such algorithm
  new Dispatcher({ algorithm: 'fastest' });
  // @ts-expect-error no such event
  dispatcher.on('expire', () => {});
  // @ts-expect-error a destination has a URI
  dispatcher.add(1, {});
  // @ts-expect-error destinations are made by dispatchers
  new Destination();
}
