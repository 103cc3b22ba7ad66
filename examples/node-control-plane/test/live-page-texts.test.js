import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Announcer } from '../../live-page/live/announcer.js';
import { amount, observed } from '../../live-page/live/format.js';
import { placedPerSecond } from '../../live-page/live/rates.js';
import { why } from '../../live-page/live/why.js';

test('numbers have three digits, or all of them', () => {
  const check = (value, expected) => assert.equal(amount(value), expected);
  check(0, '0');
  check(0.12345, '0.123');
  check(0.00294, '0.003');
  check(12.345, '12.3');
  check(99.96, '100');
  check(123456.7, '123,457');
  check(null, '–');
  check(undefined, '–');
});

test('what probes observe is said in words', () => {
  assert.equal(observed('active'), 'active');
  assert.equal(observed({ trying: 2 }), 'trying (2 failed)');
});

test('rates are what counts grew by', () => {
  const look = (at, ...placed) => ({ at, bridges: placed.map((count, index) => ({ set: 1, id: `b${index}`, placed: count })) });
  assert.equal(placedPerSecond(undefined, look(0, 5)), undefined);
  assert.equal(placedPerSecond(look(0, 5), look(0, 9)), undefined);
  // The third bridge is new; the second one began anew.
  const rates = placedPerSecond(look(1000, 10, 7), look(3000, 16, 3, 4));
  assert.deepEqual([...rates], [['1/b0', 3], ['1/b1', 1.5], ['1/b2', 2]]);
});

const row = (id, { standing = 'candidate', key = null, algorithm = 'call_load', route = 0 } = {}) =>
  ({ route, algorithm, destination: { id, set: 1, uri: id }, standing, key });
const call = (id, ...rows) => ({ destination: { id, set: 1, uri: id }, rows });

test('why a call went where it went is a sentence', () => {
  const check = (recent, expected) => assert.equal(why(recent), expected);
  check(
    call('a', row('a', { key: 0.5 }), row('b', { key: 2 }), row('c', { key: 1.25 }), row('d', { standing: 'too_fast' })),
    'call_load: load per weight after the call is 0.5, 1.25 or more elsewhere (3 candidates). Not asked: d (too fast).',
  );
  check(
    call('a', row('a', { key: 1 }), row('b', { key: 1 })),
    'call_load: load per weight after the call is 1, as elsewhere (2 candidates).',
  );
  check(call('a', row('a', { key: 1 })), 'call_load: the only candidate.');
  check(call('a', row('a', { algorithm: 'random' }), row('b', { algorithm: 'random' })), 'random: one of 2 candidates.');
  const hash = { algorithm: { call_id_hash: { bound: 1.25 } } };
  check(
    call('b', row('a', { ...hash, key: 3 }), row('b', { ...hash, key: 0 })),
    'call_id_hash: attempt at which the Call-ID asks it is 0, 3 or more elsewhere (2 candidates).',
  );
  check(
    call('b', row('a', { standing: 'full' }), row('b', { route: 1, key: 1 })),
    'call_load: the only candidate. Routes before had no candidate.',
  );
  check(call('a'), 'Not explained: calls came too fast for that.');
  check(call('gone', row('a')), 'It had moved on before anybody asked why.');
  const out = ['e', 'f', 'g', 'h', 'i'].map((id) => row(id, { standing: 'inactive' }));
  check(
    call('a', row('a', { key: 1 }), ...out),
    'call_load: the only candidate. Not asked: e (inactive), f (inactive), g (inactive), h (inactive) and 1 more.',
  );
});

test('changes are announced, counts are not', () => {
  const region = { textContent: '' };
  const announcer = new Announcer(region);
  const check = (bridge, expected) => {
    region.textContent = '';
    announcer.compare([{ set: 1, id: 'b1', standing: 'candidate', calls: 3, ...bridge }]);
    assert.equal(region.textContent, expected);
  };
  check({}, '');
  check({ calls: 2 }, '');
  check({ standing: 'draining', calls: 2 }, 'b1 takes no calls: draining.');
  check({ standing: 'draining', calls: 1 }, '');
  check({ standing: 'draining', calls: 0 }, 'b1 has no calls left.');
  check({ calls: 0 }, 'b1 takes calls.');
  check({ id: 'b2' }, 'b2 joined.');
});
