import assert from 'node:assert/strict';
import { test } from 'node:test';

import { RecentCalls } from '../recent.js';

test('the last twenty calls are kept, the youngest first', () => {
  const recent = new RecentCalls();
  for (let call = 1; call <= 25; call += 1) {
    recent.add(call * 1000, `call ${call}`, { id: 'b1' }, []);
  }
  assert.deepEqual(recent.list().map(({ at }) => at), Array.from({ length: 20 }, (_, index) => 25 - index));
  assert.deepEqual(recent.list()[0], { at: 25, call_id: 'call 25', destination: { id: 'b1' }, rows: [] });
});

test('twenty calls a second are explained, those beyond are not', () => {
  const recent = new RecentCalls();
  const explained = (at) => recent.rows(at, () => ({ rows: ['why'] })).length === 1;
  const count = (from, every, calls) => Array.from({ length: calls }, (_, index) => explained(from + index * every)).filter(Boolean).length;
  assert.equal(count(0, 1, 100), 20);
  assert.ok(!explained(999));
  assert.ok(explained(1000));
  assert.equal(count(10_000, 100, 100), 100);
  assert.equal(count(30_000, 1, 100), 20);
});
