// What a dispatcher knows, saved and restored.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { test } = require('node:test');

const { CallsteerError, Dispatcher } = require('callsteer');

function fleet() {
  const dispatcher = new Dispatcher({ algorithm: 'weighted', seed: 3 });
  for (let number = 0; number < 3; number += 1) {
    dispatcher.add(1, { uri: `sip:10.0.0.${number}`, weight: number + 1, attrs: { site: 'x' } }, 1e6);
  }
  for (let number = 0; number < 20; number += 1) {
    const now = 1e6 + 1e3 * number;
    const call = { callId: `call-${number}`, class: 'voice', tenant: 'sales' };
    const { lease } = dispatcher.begin(call, now);
    if (number % 3 === 0) {
      dispatcher.confirm(lease, now);
    }
  }
  return dispatcher;
}

test('a restored dispatcher decides as the first one', () => {
  const saved = fleet();
  for (const data of [saved.snapshot(), Buffer.from(saved.snapshot()), saved.snapshotJson()]) {
    const first = Dispatcher.restore(data, { now: 1_019_000 });
    const second = Dispatcher.restore(data, { now: 1_019_000 });
    for (let number = 15; number < 40; number += 1) {
      const [one, other] = [first, second].map((each) => each.begin(`call-${number}`, 1_020_000));
      assert.deepEqual([one.lease, one.destination.id], [other.lease, other.destination.id]);
    }
    assert.deepEqual(first.snapshot(), second.snapshot());
    assert.deepEqual(first.stats(), second.stats());
  }
});

test('a subclass restores one of its own', () => {
  class Mine extends Dispatcher {}
  assert(Mine.restore(fleet().snapshot()) instanceof Mine);
});

test('it is restored in another process', () => {
  const first = fleet();
  const program = `
    const { Dispatcher } = require('callsteer');
    const dispatcher = Dispatcher.restore(require('node:fs').readFileSync(0), { away: 2500 });
    const { lease, destination } = dispatcher.begin('call-19');
    console.log(lease, destination.uri, destination.attrs.site, dispatcher.stats().repeated);
  `;
  const said = execFileSync(process.execPath, ['-e', program], { input: first.snapshot(), cwd: __dirname });
  const lease = first.callOf('call-19');
  assert.equal(String(said), `${lease} ${first.destinationOf(lease).uri} x 1\n`);
});

test('spans go on by a clock that began anew', () => {
  const saved = fleet().snapshot();
  const soon = Dispatcher.restore(saved, { now: 250 });
  soon.begin('later', 57_000);
  assert.equal(soon.stats().expired, 10, 'set-ups up to 1015 s');
  const later = Dispatcher.restore(saved, { now: 250, away: 59_500 });
  assert.equal(later.stats().expired, 12, 'all but the last');
  const late = Dispatcher.restore(saved, { clock: () => 7_000, away: 7_200_000 });
  assert.equal(late.stats().calls, 0);
  late.resume({}, 1e9);
  assert(late.begin('again', 1e9 + 1).lease > 0);
});

test('what is no snapshot is refused and said', () => {
  const saved = Buffer.from(fleet().snapshot());
  const changed = (place, byte) => {
    const copy = Buffer.from(saved);
    copy[place] = byte;
    return copy;
  };
  for (const [data, code, said] of [
    [Buffer.alloc(0), 'damaged_snapshot', /shorter than its header/],
    [saved.subarray(0, -1), 'damaged_snapshot', /cut off/],
    [changed(saved.length - 1, 33), 'damaged_snapshot', /checksum/],
    [changed(8, 9), 'snapshot_version', /version 9/],
    ['{}', 'damaged_snapshot', /callsteer_snapshot/],
    [fleet().snapshotJson().replace('sip:10.0.0.1', 'sip:10.0.0.9'), 'damaged_snapshot', /checksum/],
  ]) {
    const refused = (error) => error instanceof CallsteerError && error.code === code && said.test(error.message);
    assert.throws(() => Dispatcher.restore(data, { now: 0 }), refused);
  }
  assert.throws(() => Dispatcher.restore({}), { code: 'ERR_INVALID_ARG_TYPE' });
  assert.throws(() => Dispatcher.restore(saved, { now: 0, away: -1 }), { code: 'ERR_OUT_OF_RANGE' });
});
