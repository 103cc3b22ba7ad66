// A configuration file is read as the other languages read it.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Dispatcher, parseConfig } = require('..');

test('a configuration file has the names of the core, and seconds', () => {
  const file = `{
    "setup_timeout": 1.5, "algorithm": {"call_id_hash": {"bound": 1.25}}, "seed": 7,
    "policies": {"3": [{"set": 1, "algorithm": "weighted"}]}, "tenants": {"a_b": {"max_calls": 2}},
    "scaling": {"threshold": {"target_blocking": 0.01}, "lead_time": 90}
  }`;
  const config = parseConfig(file);
  const expected = {
    setupTimeout: 1500,
    algorithm: { callIdHash: { bound: 1.25 } },
    seed: 7,
    policies: { 3: [{ set: 1, algorithm: 'weighted' }] },
    tenants: { a_b: { maxCalls: 2, maxRate: 0 } },
  };
  for (const [name, value] of Object.entries(expected)) {
    assert.deepEqual(config[name], value, name);
  }
  assert.equal(config.scaling.leadTime, 90_000);
  assert.deepEqual(config.scaling.threshold, { targetBlocking: 0.01 });
  // What it does not say is as if nothing were said.
  assert.deepEqual(parseConfig('{}'), new Dispatcher().config());
  assert.deepEqual(new Dispatcher(config).config(), config);
});

test('a configuration file that cannot be read is refused with the place, in its own words', () => {
  const check = (file, message, line, column) =>
    assert.throws(() => parseConfig(Buffer.from(file)), (error) => {
      assert.match(error.message, new RegExp(message));
      assert.deepEqual([error.name, error.code, error.line, error.column], ['CallsteerError', 'invalid_config', line, column]);
      return true;
    });
  check('{"algorithm": }', /^expected value at line 1 column 15$/, 1, 15);
  check('{\n "setup_timout": 60}', /^unknown field `setup_timout`, expected one of .*`setup_timeout`.* at line 2 column 15$/, 2, 15);
  check('{"dispatchers": "2"}', /^invalid type: string "2", expected u32 at line 1 column 19$/, 1, 19);
  check('{"seed": 1, "seed": 2}', /^duplicate field `seed` at line 1 column 18$/, 1, 18);
  check(' []', 'a configuration is an object, not a list', undefined, undefined);
  check('{"setup_timeout": -1}', /value is negative/, 1, 21);
});
