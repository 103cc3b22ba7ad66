// What is no argument is refused by type, and no other call is touched by it.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { CallsteerError, CODES, Destination, Dispatcher, List, Plan, erlang, parseOrca, score } = require('..');

const ANYTHING = [
  NaN,
  0.5,
  -1,
  2 ** 53,
  Infinity,
  -0.5,
  0,
  5n,
  undefined,
  null,
  true,
  '1',
  Symbol('s'),
  {},
  [],
  () => 1,
  Object.create(null),
  new Date(0),
  new Proxy({}, {}),
  new Uint8Array(2),
  new Float64Array(2),
  new SharedArrayBuffer(8),
];

/** An error that says by its class and code what kind it is. */
function typed(error) {
  const code = error.code;
  if (error instanceof CallsteerError) return code in CODES;
  if (error instanceof RangeError) return code === 'ERR_OUT_OF_RANGE';
  return error instanceof TypeError && code === 'ERR_INVALID_ARG_TYPE' && error.message.length > 10;
}

/** A dispatcher with calls, whose counts must not change. */
function busy() {
  const dispatcher = new Dispatcher({ algorithm: 'round_robin' });
  const destination = dispatcher.add(1, { uri: 'a' }, 0);
  const leases = ['1', '2', '3'].map((call) => dispatcher.begin(call, 0).lease);
  return { dispatcher, destination, leases };
}

test('a lease that is none ends no call', () => {
  const { dispatcher, leases } = busy();
  const before = dispatcher.stats();
  const commands = [
    (value) => dispatcher.end(value, 0),
    (value) => dispatcher.confirm(value, 0),
    (value) => dispatcher.fail(value, 503, 0),
    (value) => dispatcher.next(value, 0),
    (value) => dispatcher.destinationOf(value),
  ];
  for (const command of commands) {
    for (const value of ANYTHING) assert.throws(() => command(value), typed);
    for (const value of [1, 5, 2 ** 32 - 1, 2 ** 53 - 1]) {
      // A number that could be a lease and is none is as one that ended.
      try {
        assert([false, null].includes(command(value)));
      } catch (error) {
        assert.equal(error.code, 'no_such_call');
      }
    }
  }
  assert.deepEqual(dispatcher.stats(), before);
  for (const lease of leases) assert.equal(dispatcher.end(lease, 0), true);
});

test('every argument of every command is looked at', () => {
  const { dispatcher, destination, leases } = busy();
  const list = new List('1 sip:a\n');
  const before = dispatcher.stats();
  const commands = {
    add: (value) => dispatcher.add(value, { uri: 'b' }, 0),
    'description of add': (value) => dispatcher.add(1, value, 0),
    uri: (value) => dispatcher.add(1, { uri: value }, 0),
    remove: (value) => dispatcher.remove(value, 0),
    update: (value) => dispatcher.update(value, { uri: 'a' }, 0),
    'description of update': (value) => dispatcher.update(destination, value, 0),
    setEnabled: (value) => dispatcher.setEnabled(value, true, 0),
    enabled: (value) => dispatcher.setEnabled(destination, value === true ? 1 : value, 0),
    drain: (value) => dispatcher.drain(value, {}, 0),
    plan: (value) => dispatcher.plan(value),
    apply: (value) => dispatcher.apply(value, 0),
    callOf: (value) => dispatcher.callOf(value),
    find: (value) => dispatcher.find(value, 'a'),
    'id of find': (value) => dispatcher.find(1, value),
    status: (value) => dispatcher.status(value),
    tenantCalls: (value) => dispatcher.tenantCalls(value),
    failure: (value) => dispatcher.fail(leases[0], value, 0),
    probeResult: (value) => dispatcher.probeResult(value, 200, 0),
    'result of probeResult': (value) => dispatcher.probeResult(destination, value, 0),
    report: (value) => dispatcher.report(value, { score: 0.5 }, 0),
    reconcile: (value) => dispatcher.reconcile(value, 1, 0),
    'there of reconcile': (value) => dispatcher.reconcile(destination, value, 0),
    'list of plan': (value) => dispatcher.plan([value]),
    'calls of reconcile': (value) => dispatcher.reconcile(destination, [value], 0),
    placeMany: (value) => dispatcher.placeMany(value, 0),
    on: (value) => dispatcher.on(value, () => {}),
    parseOrca: (value) => parseOrca(value),
    score: (value) => score(value, {}),
    blocking: (value) => erlang.blocking(1, value),
    'update of a list': (value) => list.update(1, value),
    'remove of a list': (value) => list.remove(1, value),
    Dispatcher: (value) => new Dispatcher({ setupTimeout: value }),
  };
  const fine = {
    add: [0],
    uri: ['1'],
    'there of reconcile': [0],
    'calls of reconcile': ['1'],
    callOf: ['1'],
    find: [0],
    'id of find': ['1'],
    tenantCalls: ['1'],
    blocking: [0],
    Dispatcher: [undefined],
    'remove of a list': ['1'],
  };
  for (const [name, command] of Object.entries(commands)) {
    for (const value of ANYTHING) {
      const isBytes = value instanceof Uint8Array && ['callOf', 'calls of reconcile'].includes(name);
      const isList =
        ['plan', 'placeMany', 'there of reconcile'].includes(name) &&
        (Array.isArray(value) || ArrayBuffer.isView(value));
      if (isBytes || isList || fine[name]?.includes(value)) continue;
      assert.throws(
        () => command(value),
        (error) => typed(error) || assert.fail(`${name}: ${error.stack}`),
        name,
      );
    }
  }
  assert.deepEqual(dispatcher.stats(), before);
});

test('a Call-ID is a string or bytes', () => {
  const { dispatcher } = busy();
  const before = dispatcher.stats().begun;
  const commands = ['begin', 'pick', 'confirmCall', 'nextCall', 'endCall', 'explain'];
  for (const command of commands) {
    for (const value of ANYTHING.filter((value) => typeof value !== 'string' && !(value instanceof Uint8Array))) {
      assert.throws(() => dispatcher[command](value, ...(command === 'explain' ? [] : [0])), typed, command);
    }
  }
  assert.equal(dispatcher.stats().begun, before);
  const bytes = dispatcher.begin(Buffer.from('four'), 0);
  assert.equal(dispatcher.begin('four', 0).lease, bytes.lease);
  assert.equal(dispatcher.callOf('four'), bytes.lease);
});

test('what a call says is a whole number or a string', () => {
  const { dispatcher } = busy();
  for (const field of ['set', 'cost', 'key', 'class', 'tenant']) {
    for (const value of ANYTHING.filter((value) => value !== undefined && value !== '1')) {
      if (field === 'set' && value === 0) continue;
      if (field === 'key' && value instanceof Uint8Array) continue;
      if (['class', 'tenant'].includes(field) && value instanceof Uint8Array) continue;
      assert.throws(() => dispatcher.begin({ callId: 'x', [field]: value }, 0), typed, `${field}: ${typeof value}`);
      if (field === 'cost' && value === 0) continue;
      assert.throws(() => dispatcher.explain({ callId: 'x', [field]: value }), typed, `${field}: ${typeof value}`);
    }
  }
  assert.equal(dispatcher.stats().begun, 3);
});

test('a time is a number of milliseconds', () => {
  const { dispatcher, destination, leases } = busy();
  const wrong = ANYTHING.filter((value) => value !== undefined && value !== 0);
  for (const value of [...wrong.filter((value) => value !== 0.5), 1e16]) {
    if (value === 2 ** 53) continue;
    assert.throws(() => dispatcher.begin('x', value), typed);
    assert.throws(() => dispatcher.end(leases[0], value), typed);
    assert.throws(() => dispatcher.pollEvent(value), typed);
    assert.throws(() => dispatcher.drain(destination, {}, value), typed);
  }
  assert.equal(dispatcher.stats().calls, 3);
});

test('Call-IDs of any characters and any length are those of the other languages', () => {
  const { dispatcher } = busy();
  const ids = [
    'é',
    'Ā',
    '\u{1F4DE}',
    'a\0b',
    'x'.repeat(255),
    'x'.repeat(256),
    'x'.repeat(257),
    'x'.repeat(1e6),
    'é'.repeat(999),
  ];
  for (const id of ids) {
    const { lease } = dispatcher.begin(id, 0);
    assert.equal(dispatcher.callOf(Buffer.from(id)), lease, `${id.slice(0, 9)}, ${id.length}`);
  }
  assert.equal(new Set(ids.map((id) => dispatcher.callOf(id))).size, ids.length);
});

test('another dispatcher, another class, another this', () => {
  const { dispatcher, destination } = busy();
  const other = busy();
  const before = other.dispatcher.stats();
  assert.throws(() => other.dispatcher.remove(destination, 0), /another dispatcher/);
  assert.throws(() => other.dispatcher.status(Object.create(destination)), typed);
  assert.throws(() => other.dispatcher.status({ ...destination }), typed);
  assert.throws(() => other.dispatcher.apply(Object.create(Plan.prototype), 0), typed);
  for (const name of ['begin', 'end', 'pick', 'confirm', 'stats', 'dispose']) {
    for (const self of [destination, {}, undefined, Object.create(dispatcher)]) {
      assert.throws(() => Dispatcher.prototype[name].call(self, 1, 0), TypeError, name);
    }
  }
  assert.throws(() => Dispatcher(), TypeError);
  assert.deepEqual(other.dispatcher.stats(), before);
});

test('destinations are frozen, and the same object for as long as they are the same', () => {
  const { dispatcher, destination } = busy();
  assert.equal(dispatcher.begin('x', 0).destination, destination);
  assert.equal(dispatcher.find(1, 'a'), destination);
  assert(Object.isFrozen(destination) && Object.isFrozen(destination.attrs) && destination instanceof Destination);
  assert.throws(() => {
    destination.weight = 7;
  }, TypeError);
  const updated = dispatcher.update(destination, { uri: 'a', weight: 7, attrs: { site: 'x' } }, 0);
  assert.equal(updated.weight, 7);
  assert.equal(dispatcher.begin('y', 0).destination, updated);
  assert.equal(dispatcher.status(destination).calls, 5, 'the old object still names it');
});

test('a report that cannot be is refused, and the old one kept', () => {
  const { dispatcher, destination } = busy();
  dispatcher.report(destination, { score: 0.25, sequence: 1 }, 0);
  for (const score of [NaN, Infinity, -1, 1e300, 5n, '0.5', {}, Symbol('s')]) {
    assert.throws(() => dispatcher.report(destination, { score }, 1), typed);
  }
  assert.throws(() => dispatcher.report(destination, { scor: 0.5 }, 1), {
    code: 'invalid_report',
    message: /^scor: unknown field `scor`.*activeCalls/,
  });
  assert.equal(dispatcher.status(destination).score, 0.25);
});

test('a list is no configuration, and no description', () => {
  assert.throws(() => new Dispatcher([]), typed);
  assert.throws(() => new Dispatcher().add(1, ['sip:a'], 0), typed);
});

test('names in snake_case are refused: their durations would be seconds', () => {
  assert.throws(() => new Dispatcher({ setup_timeout: 60 }), /config\.setup_timeout.*camelCase.*milliseconds/);
  assert.throws(() => new Dispatcher({ probing: { mode: 'of' } }), {
    code: 'invalid_config',
    message: /^probing\.mode: unknown variant `of`/,
  });
  assert.throws(() => new Dispatcher({ warmup: 1 }), {
    code: 'invalid_config',
    message: /unknown field `warmup`.*`warmUp`/,
  });
  const cyclic = {};
  cyclic.health = cyclic;
  assert.throws(() => new Dispatcher(cyclic), Error);
});

test('a seed may be above 2^53', () => {
  const { seed, hashKey } = new Dispatcher({ seed: 2n ** 64n - 1n, hashKey: 2n ** 60n }).config();
  assert.deepEqual([seed, hashKey], [2n ** 64n - 1n, 2n ** 60n]);
  for (const seed of [2n ** 64n, -1n, 0.5]) assert.throws(() => new Dispatcher({ seed }), Error);
});

test('a disposed dispatcher says so', () => {
  const { dispatcher, destination, leases } = busy();
  const call = dispatcher.call('z', 0);
  dispatcher[Symbol.dispose]();
  dispatcher.dispose();
  for (const command of [
    () => dispatcher.begin('x', 0),
    () => dispatcher.end(leases[0], 0),
    () => dispatcher.stats(),
    () => dispatcher.add(1, { uri: 'b' }, 0),
    () => dispatcher.status(destination),
    () => dispatcher.on('event', () => {}),
    () => call.end(0),
  ]) {
    assert.throws(command, { code: 'ERR_DISPOSED' });
  }
});

test('JavaScript that runs in the middle of a command finds the dispatcher busy', () => {
  const { dispatcher } = busy();
  const ids = ['p', 'q'];
  Object.defineProperty(ids, 1, { get: () => dispatcher.begin('inside', 0) && 'q', enumerable: true });
  // Array.from has read the element before the native part is asked.
  assert.equal(dispatcher.placeMany(ids, 0).length, 2);
  assert.equal(dispatcher.stats().calls, 6);
});
