// Events, probes and calls that wait: the dispatcher polls by itself, and keeps no process alive.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { after, test } = require('node:test');

const { Dispatcher } = require('..');

// What a dispatcher waits for keeps no process alive, so this does.
const alive = setInterval(() => {}, 60_000);
after(() => clearInterval(alive));

/** Until a listener was called. */
const heard = (dispatcher, subject) => new Promise((resolve) => dispatcher.once(subject, resolve));

test('a listener hears of what it asked for, when it is due', async () => {
  const dispatcher = new Dispatcher({ setupTimeout: 20, probing: { mode: 'off' } });
  const kinds = [];
  dispatcher.on('event', ({ kind }) => kinds.push(kind));
  const added = heard(dispatcher, 'added');
  const destination = dispatcher.add(1, { uri: 'a' });
  assert.equal((await added).destination, destination);
  const { lease } = dispatcher.begin('1');
  const expired = await heard(dispatcher, 'expired');
  assert.deepEqual([expired.lease, expired.confirmed, expired.destination], [lease, false, destination]);
  dispatcher.remove(destination);
  const removed = await heard(dispatcher, 'removed');
  assert.deepEqual([removed.set, removed.id, removed.destination], [1, 'a', destination]);
  assert.deepEqual(kinds, ['added', 'expired', 'removed']);
  dispatcher.dispose();
});

test('an earlier deadline is heard of in time', async () => {
  const dispatcher = new Dispatcher({ probing: { mode: 'off' } });
  const destination = dispatcher.add(1, { uri: 'a' });
  dispatcher.begin('1');
  const drained = heard(dispatcher, 'drained'); // the timer stands at the deadline of the call
  dispatcher.drain(destination, { deadline: 15 });
  assert.equal((await drained).left, 1);
  dispatcher.dispose();
});

test('probes are handed out to who listens', async () => {
  const dispatcher = new Dispatcher({ probing: { interval: 10, timeout: 1_000 } });
  const destination = dispatcher.add(1, { uri: 'a' });
  let probes = 0;
  dispatcher.on('probe', (probed) => {
    assert.equal(probed, destination);
    probes += 1;
    dispatcher.probeResult(probed, 'timeout');
  });
  const health = await heard(dispatcher, 'health');
  assert.deepEqual(health.observed, { trying: 1 });
  assert.deepEqual((await heard(dispatcher, 'health')).observed, { trying: 2 });
  assert.equal((await heard(dispatcher, 'health')).observed, 'inactive');
  assert.equal(probes, 3);
  dispatcher.dispose();
});

test('a listener that is taken back hears no more, and events stay to be polled', async () => {
  const dispatcher = new Dispatcher({ probing: { mode: 'off' } });
  const listener = () => assert.fail('heard');
  dispatcher.on('added', listener).off('added', listener);
  dispatcher.add(1, { uri: 'a' });
  await new Promise(setImmediate);
  assert.equal(dispatcher.pollEvent().kind, 'added');
  assert.equal(dispatcher.pollEvent(), null);
});

test('nobody can listen for what there is not', () => {
  assert.throws(() => new Dispatcher().on('expire', () => {}), { code: 'ERR_INVALID_ARG_TYPE', message: /expired/ });
  assert.throws(() => new Dispatcher().on('expired', 'listener'), { code: 'ERR_INVALID_ARG_TYPE' });
});

test('events come through an async iterator, in order, until it is left', async () => {
  const dispatcher = new Dispatcher({ probing: { mode: 'off' } });
  const events = dispatcher.events();
  dispatcher.add(1, { uri: 'a' });
  dispatcher.add(2, { uri: 'b' });
  const seen = [];
  for await (const event of events) {
    seen.push(`${event.kind} ${event.set}/${event.id}`);
    if (seen.length === 2) break;
  }
  assert.deepEqual(seen, ['added 1/a', 'added 2/b']);
  assert.equal(dispatcher.nextDeadline(), null);
});

test('an async iterator ends with the dispatcher, or fails with its signal', async () => {
  const dispatcher = new Dispatcher({ probing: { mode: 'off' } });
  const controller = new AbortController();
  const aborted = dispatcher.events({ signal: controller.signal }).next();
  const ended = dispatcher.events().next();
  controller.abort();
  await assert.rejects(aborted, { name: 'AbortError' });
  dispatcher.dispose();
  assert.deepEqual(await ended, { done: true, value: undefined });
});

test('to drain can be waited for, or given up', async () => {
  const dispatcher = new Dispatcher({ probing: { mode: 'off' } });
  const [a, b] = ['a', 'b'].map((uri) => dispatcher.add(1, { uri }));
  const { lease, destination } = dispatcher.begin('1');
  const drained = dispatcher.drained(destination, {});
  dispatcher.end(lease);
  assert.equal(await drained, 0);
  const other = destination === a ? b : a;
  const late = dispatcher.begin('2');
  assert.equal(late.destination, other);
  assert.equal(await dispatcher.drained(other, { deadline: 10 }), 1);
  const reason = new Error('enough');
  const controller = new AbortController();
  dispatcher.setEnabled(other, true);
  const given = dispatcher.drained(other, { signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(given, reason);
  await assert.rejects(dispatcher.drained(other, { signal: AbortSignal.abort(reason) }), reason);
  dispatcher.remove(other);
  await assert.rejects(dispatcher.drained(other), { code: 'no_such_destination' });
  dispatcher.dispose();
});

test('a call waits for room, behind those that came before', async () => {
  const dispatcher = new Dispatcher({ retryAfter: 60_000, probing: { mode: 'off' } });
  dispatcher.add(1, { uri: 'a', maxCalls: 1 });
  const { lease } = dispatcher.begin('0');
  const order = [];
  const placed = ['1', '2', '3'].map(async (call) => {
    const { lease } = await dispatcher.beginWhenFree(call);
    order.push(call);
    return lease;
  });
  await new Promise(setImmediate);
  assert.deepEqual(order, []);
  assert.equal(dispatcher.stats().refused, 1, 'only the first one has tried');
  dispatcher.end(lease);
  dispatcher.end(await placed[0]);
  dispatcher.end(await placed[1]);
  dispatcher.end(await placed[2]);
  assert.deepEqual(order, ['1', '2', '3']);
  assert.equal(dispatcher.stats().calls, 0);
});

test('a call that waits for one set does not hold up another set', async () => {
  const dispatcher = new Dispatcher({ retryAfter: 60_000, probing: { mode: 'off' } });
  for (const set of [1, 2]) dispatcher.add(set, { uri: 'a', maxCalls: 1 });
  const leases = [1, 2].map((set) => dispatcher.begin({ callId: `${set}`, set }).lease);
  const first = dispatcher.beginWhenFree({ callId: 'x', set: 1 });
  const second = dispatcher.beginWhenFree({ callId: 'y', set: 2 });
  assert.equal(dispatcher.end(leases[1]), true);
  assert.equal((await second).destination.set, 2);
  dispatcher.end(leases[0]);
  assert.equal((await first).destination.set, 1);
});

test('a call that waits tries again when its time has come', async () => {
  const dispatcher = new Dispatcher({ retryAfter: 10, setupTimeout: 25, probing: { mode: 'off' } });
  dispatcher.add(1, { uri: 'a', maxCalls: 1 });
  dispatcher.begin('never confirmed');
  const placed = await dispatcher.beginWhenFree('1');
  assert.equal(placed.destination.id, 'a');
});

test('a call that waits can be given up, and what waiting does not heal is refused at once', async () => {
  const dispatcher = new Dispatcher({ retryAfter: 60_000, probing: { mode: 'off' } });
  await assert.rejects(dispatcher.beginWhenFree('1'), { code: 'no_such_set' });
  dispatcher.add(1, { uri: 'a', maxCalls: 1 });
  dispatcher.begin('0');
  const controller = new AbortController();
  const reason = new Error('the caller hung up');
  const given = dispatcher.beginWhenFree('1', { signal: controller.signal });
  const waits = dispatcher.beginWhenFree('2');
  controller.abort(reason);
  await assert.rejects(given, reason);
  await assert.rejects(dispatcher.beginWhenFree('3', { signal: AbortSignal.abort(reason) }), reason);
  assert.equal(dispatcher.stats().calls, 1);
  dispatcher.dispose();
  await assert.rejects(waits, { code: 'ERR_DISPOSED' });
});

test('a call ends with its scope', async () => {
  const dispatcher = new Dispatcher();
  const [a, b] = ['a', 'b'].map((uri) => dispatcher.add(1, { uri }, 0));
  const call = dispatcher.call({ callId: '1' }, 0);
  assert.equal(call.panic, false);
  const first = call.destination;
  assert.equal(call.fail('timeout', 0), 'destination');
  assert.equal(call.next(0), first === a ? b : a);
  assert.equal(call.destination, first === a ? b : a);
  call.confirm(0);
  assert.equal(dispatcher.destinationOf(call.lease), call.destination);
  call[Symbol.dispose]();
  assert.equal(dispatcher.stats().calls, 0);
  assert.equal(call.end(), false);
  const other = dispatcher.call('2');
  await other[Symbol.asyncDispose]();
  assert.equal(dispatcher.stats().ended, 2);
});

test('the clock is the one given', () => {
  let now = 1_000;
  const dispatcher = new Dispatcher({ setupTimeout: 500 }, { clock: () => now });
  dispatcher.add(1, { uri: 'a' });
  dispatcher.begin('1');
  while (dispatcher.pollEvent() !== null);
  now = 1_501;
  const { kind, at } = dispatcher.pollEvent();
  assert.deepEqual([kind, at], ['expired', 1_500]);
  assert.equal(dispatcher.begin('2', 3_000.0625).lease, dispatcher.callOf('2'), 'now wins');
});

test('listening keeps no process alive', () => {
  const program = `
    const { Dispatcher } = require(${JSON.stringify(require.resolve('..'))});
    const dispatcher = new Dispatcher();
    dispatcher.on('event', () => {}).on('probe', () => {});
    dispatcher.add(1, { uri: 'a' });
    dispatcher.begin('1');
    (async () => { for await (const _ of dispatcher.events()); })();
    process.on('exit', () => console.log('over'));
  `;
  assert.equal(execFileSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: 60_000 }), 'over\n');
});

test('what is due already is said before the process ends, and what is due later is not waited for', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
  const before = timers();
  const dispatcher = new Dispatcher({ probing: { mode: 'off' } });
  dispatcher.add(1, { uri: 'a' });
  dispatcher.begin('1');
  const said = new Promise((resolve) => dispatcher.on('added', resolve));
  assert.equal(timers(), before + 1);
  await said;
  assert.equal(timers(), before, 'the call may yet expire');
  dispatcher.dispose();
});

test('who waits for a drain keeps the process alive until it is over', () => {
  const program = `
    const { Dispatcher } = require(${JSON.stringify(require.resolve('..'))});
    const dispatcher = new Dispatcher();
    const destination = dispatcher.add(1, { uri: 'a' });
    dispatcher.begin('1');
    dispatcher.drained(destination, { deadline: 20 }).then((left) => console.log(left));
  `;
  assert.equal(execFileSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: 60_000 }), '1\n');
});
