// A million calls leave nothing behind, neither does a dispatcher.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { test } = require('node:test');

const MIB = 2 ** 20;
/** V8 may not take more room for young objects only because there is some. */
const FLAGS = ['--expose-gc', '--max-semi-space-size=1'];

/** Runs a function in a process of its own, with a garbage collector that can be asked; gives what it gives. */
function alone(program) {
  const source = `(${program})(require(${JSON.stringify(require.resolve('..'))})).then((got) => console.log(JSON.stringify(got)))`;
  return JSON.parse(execFileSync(process.execPath, [...FLAGS, '-e', source], { encoding: 'utf8' }));
}


test('a million calls leave heap and memory flat', () => {
  const { before, after, stats } = alone(async ({ Dispatcher }) => {
    const dispatcher = new Dispatcher({ probing: { mode: 'off' } });
    for (const uri of ['a', 'b', 'c', 'd']) dispatcher.add(1, { uri }, 0);
    while (dispatcher.pollEvent(0) !== null);
    let now = 0;
    const calls = (from, to) => {
      for (let index = from; index < to; index += 1) {
        now += 1;
        const { lease } = dispatcher.begin(
          { callId: `call-${index}`, class: index % 2 ? 'odd' : 'even', tenant: 'x' },
          now,
        );
        if (index % 3 === 0) dispatcher.fail(lease, 486, now);
        else dispatcher.confirm(lease, now);
        if (index % 2) dispatcher.end(lease, now);
        else dispatcher.endCall(`call-${index}`, now);
        dispatcher.pick(`pick-${index}`, now);
        try {
          if (index % 100 === 0) dispatcher.begin({ callId: 'x', set: 9 }, now);
        } catch {}
      }
      gc();
      const { heapUsed, rss } = process.memoryUsage();
      return { heapUsed, rss };
    };
    const before = calls(0, 200_000);
    const after = calls(200_000, 1_200_000);
    return { before, after, stats: dispatcher.stats() };
  });
  assert.deepEqual([stats.begun, stats.ended, stats.calls], [1_200_000, 1_200_000, 0]);
  assert(after.heapUsed - before.heapUsed < MIB, `heap: ${before.heapUsed} -> ${after.heapUsed}`);
  assert(after.rss - before.rss < 8 * MIB, `memory: ${before.rss} -> ${after.rss}`);
});

test('a dispatcher that is disposed of, or forgotten, gives its memory back', () => {
  const { before, after, collected, timers } = alone(async ({ Dispatcher }) => {
    const collected = { disposed: 0, forgotten: 0 };
    const registry = new FinalizationRegistry((how) => (collected[how] += 1));
    const live = (how) => {
      const dispatcher = new Dispatcher();
      dispatcher.add(1, { uri: 'a' }, 0);
      for (let index = 0; index < 20_000; index += 1) dispatcher.begin(`call-${index}`, 0);
      if (how === 'disposed') {
        dispatcher.on('event', () => {}).on('probe', () => {});
        dispatcher.events();
        dispatcher.dispose();
      }
      registry.register(dispatcher, how);
    };
    const round = async (count) => {
      for (let index = 0; index < count; index += 1) {
        live('disposed');
        live('forgotten');
        gc();
        await new Promise(setImmediate);
      }
      return process.memoryUsage().rss;
    };
    const before = await round(10);
    const after = await round(50);
    const timers = process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
    return { before, after, collected, timers };
  });
  assert(collected.disposed >= 58 && collected.forgotten >= 58, JSON.stringify(collected));
  assert(after - before < 8 * MIB, `memory: ${before} -> ${after}`);
  assert.equal(timers, 0);
});
