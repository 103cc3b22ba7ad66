// What there is beside a dispatcher: lists, plans, reports, scores, Erlang B, Kamailio's numbers, codes.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const callsteer = require('callsteer');
const { CODES, CallsteerError, Dispatcher, LIST_CODES, List, Plan } = callsteer;

test('a list is read, linted, changed and written back', () => {
  const file = '# bridges\n1 sip:10.0.0.1:5060 0 0 duid=b1;weight=60 # old\n1 sip:10.0.0.2 8 0 duid=b2\n';
  const list = new List(file);
  assert.equal(list.toString(), file);
  assert.deepEqual(Buffer.from(list.write()), Buffer.from(file));
  const [first, second] = list.entries();
  assert.deepEqual(
    [first.line, first.set, first.destination.weight, second.destination.probing],
    [2, 1, 60, 'flagged'],
  );
  assert.deepEqual(list.lint().map(({ line, code, severity }) => [line, code, severity])[0], [
    3,
    'first_without_weight',
    'warning',
  ]);
  list.update(1, { uri: 'sip:10.0.0.2', id: 'b2', weight: 40 });
  assert.equal(list.remove(1, 'b1'), true);
  assert.equal(list.remove(1, 'b1'), false);
  list.push(2, { uri: 'sip:10.0.0.3', attrs: { site: 'x' } });
  assert.equal(list.toString(), '# bridges\n1 sip:10.0.0.2 0 0 duid=b2;weight=40\n2 sip:10.0.0.3 0 0 site=x\n');
  assert.throws(() => list.push(2, { uri: 'sip:10.0.0.3' }), { code: 'duplicate' });
});

test('a line that cannot be read is refused with its place, or left out', () => {
  const file = '1 sip:a\n1 sip:b 8junk\n';
  assert.throws(
    () => new List(file),
    (error) =>
      error instanceof CallsteerError && error.code === 'invalid_flags' && error.line === 2 && error.column === 9,
  );
  const list = new List(Buffer.from(file), { lenient: true });
  assert.deepEqual(
    list.skipped().map(({ line, column, code }) => [line, column, code]),
    [[2, 9, 'invalid_flags']],
  );
  assert.equal(list.entries().length, 1);
  assert.equal(new List().toString(), '');
});

test('a list becomes a plan, a plan is applied once', () => {
  const dispatcher = new Dispatcher();
  const plan = dispatcher.plan(new List('1 sip:a 0 0 weight=3\n2 sip:b\n'));
  assert(plan instanceof Plan);
  assert.deepEqual(
    plan.changes.map(({ kind, set, id, to }) => [kind, set, id, to.weight]),
    [
      ['add', 1, 'sip:a', 3],
      ['add', 2, 'sip:b', 1],
    ],
  );
  dispatcher.apply(plan, 0);
  assert.throws(() => dispatcher.apply(plan, 0), { code: 'stale_plan' });
  const next = dispatcher.plan([[1, { uri: 'sip:a', weight: 4 }]]);
  assert.deepEqual([next.changes.map(({ kind }) => kind), next.kept], [['remove', 'update'], 0]);
  assert.equal(next.changes[1].from.weight, 3);
  assert.equal(
    `${next}`,
    '- set 2: sip:b (calls that go on: 0)\n~ set 1: sip:a, weight 3 -> 4\n= 0 stay as they are\n',
  );
  assert.throws(
    () =>
      dispatcher.plan([
        [1, { uri: 'x' }],
        [1, { uri: 'x' }],
      ]),
    { code: 'duplicate', message: /entry 2/ },
  );
  dispatcher.apply(next, 0);
  assert.deepEqual(
    [...dispatcher].map(([{ id, weight }, { standing }]) => [id, weight, standing]),
    [['sip:a', 4, 'candidate']],
  );
  assert.deepEqual(dispatcher.sets(), [1, 2]);
});

test('an explanation names destinations and algorithms as everything else does', () => {
  const dispatcher = new Dispatcher({ algorithm: { callIdHash: { bound: 1.25 } } });
  const destination = dispatcher.add(1, { uri: 'a' }, 0);
  const { destination: to, refused, rows } = dispatcher.explain({ callId: '1', cost: 2 });
  assert.deepEqual([to, refused, rows[0].destination], [destination, null, destination]);
  assert.deepEqual(rows[0].algorithm, { callIdHash: { bound: 1.25 } });
  const nowhere = dispatcher.explain({ callId: '1', set: 9 });
  assert.deepEqual([nowhere.destination, nowhere.refused.code, nowhere.refused.status], [null, 'no_such_set', 480]);
});

test('many calls are placed at once, each or its error', () => {
  const dispatcher = new Dispatcher({ algorithm: 'round_robin', retryAfter: 1_500 });
  const destination = dispatcher.add(1, { uri: 'a', maxCalls: 2 }, 0);
  const [one, again, two, refused, wrong] = dispatcher.placeMany(['1', '1', Buffer.from('2'), '3', 4], 0);
  assert.deepEqual(again, one);
  assert.deepEqual([one.destination, two.destination, one.panic], [destination, destination, false]);
  assert.equal(dispatcher.callOf('2'), two.lease);
  assert(refused instanceof CallsteerError);
  assert.deepEqual(
    [refused.code, refused.status, refused.retryAfterMs, refused.retryAfterSeconds],
    ['full', 503, 1_500, 2],
  );
  assert(wrong instanceof TypeError);
  assert.equal(dispatcher.stats().begun, 2);
  assert.deepEqual(dispatcher.placeMany([], 0), []);
});

test('reports are read in all their forms, in milliseconds', () => {
  const report = callsteer.parseReport('{"score": 0.62, "active_calls": 12, "measured_at": 1700000000.25}');
  assert.deepEqual(report, { score: 0.62, activeCalls: 12, measuredAt: 1_700_000_000_250 });
  assert.throws(() => callsteer.parseReport('{"laod": 2}'), { code: 'unreadable_report', message: /column 7/ });
  assert.deepEqual(callsteer.parseOrca('TEXT cpu_utilization=0.3'), {
    report: { score: 0.3 },
    metrics: { cpu_utilization: 0.3 },
  });
  const heartbeat = callsteer.parseHeartbeat('Session-Count: 30\nMax-Sessions: 120\nUptime-msec: 61000\n');
  assert.deepEqual([heartbeat.report.score, heartbeat.uptime, heartbeat.maxSessions], [0.25, 61_000, 120]);
  assert.throws(() => callsteer.parseAgentCheck('ready'), { code: 'incomplete_report' });
  assert.deepEqual(callsteer.parseAgentCheck('down 50% # why\n'), {
    report: { score: 0.5 },
    operational: 'down',
    description: 'why',
  });
  const resources = {
    resources: [
      { name: 'cpu', full: 1 },
      { name: 'lag', full: 0.2 },
    ],
  };
  assert.equal(callsteer.score(resources, { cpu: 0.5, lag: 0.15 }), 0.15 / 0.2);
  assert.throws(() => callsteer.score(resources, { cpu: NaN, lag: 0 }), { code: 'invalid_report', message: /"cpu"/ });
  assert.throws(() => callsteer.score(resources, { cpu: 1 }), {
    code: 'invalid_report',
    message: /"lag" was not measured/,
  });
});

test('Erlang B has the numbers of the tables', () => {
  const { blocking, erlangsFor, highestUtilisation, slotsFor } = callsteer.erlang;
  assert.equal(blocking(2, 2), 0.4);
  assert.equal(slotsFor(50, 0.01), 64);
  assert.equal(slotsFor(50, 2), null);
  assert(Math.abs(blocking(erlangsFor(64, 0.01), 64) - 0.01) < 1e-9);
  assert(Math.abs(highestUtilisation(100, 0.01) - 0.83) < 0.01);
});

test("Kamailio's numbers stand for algorithms", () => {
  assert.deepEqual([10, 0, 9].map(callsteer.algorithmFromKamailio), [
    'call_load',
    { callIdHash: { bound: null } },
    'weighted',
  ]);
  assert.throws(() => callsteer.algorithmFromKamailio(12), { code: 'ERR_OUT_OF_RANGE', message: /algorithm 12/ });
  assert.doesNotThrow(() => new Dispatcher({ algorithm: callsteer.algorithmFromKamailio(0) }));
});

test('a configuration comes back with every default, and goes in again', () => {
  const config = new Dispatcher({
    seed: 7,
    tenants: { a_b: { maxCalls: 2 } },
    policies: { 3: [{ set: 1, algorithm: 'weighted' }] },
  }).config();
  assert.deepEqual(
    [config.seed, config.tenants, config.policies[3]],
    [7, { a_b: { maxCalls: 2, maxRate: 0 } }, [{ set: 1, algorithm: 'weighted' }]],
  );
  assert.deepEqual(new Dispatcher(config).config(), config);
});

test('the types know every code that there is', () => {
  const types = fs.readFileSync(path.join(__dirname, '../types/errors.d.ts'), 'utf8');
  const union = (name) =>
    [...new RegExp(`type ${name} = (.*);`).exec(types)[1].matchAll(/'(\w+)'/g)].map(([, code]) => code).sort();
  assert.deepEqual(union('Code'), Object.keys(CODES).sort());
  assert.deepEqual(union('ListCode'), Object.keys(LIST_CODES).sort());
});
