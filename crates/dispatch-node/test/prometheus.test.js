// The collector of prom-client says what the library's own text says.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Registry } = require('prom-client');

const { Dispatcher } = require('callsteer');
const { registerMetrics } = require('callsteer/prometheus');

/** The samples of a text, with labels in any order. */
function samples(text) {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => line.replace(/\{(.*)\}/, (_, labels) => `{${labels.split(/,(?=\w+=")/).sort()}}`)).sort();
}

test('a scrape has every sample of the dispatcher, as of now', async () => {
  const dispatcher = new Dispatcher({ scaling: {} });
  const odd = dispatcher.add(7, { uri: 'sip:"odd"\\\nname', maxCalls: 4 }, 0);
  const registry = new Registry();
  const unregister = registerMetrics(dispatcher, registry);
  dispatcher.begin({ callId: '1', set: 7 }, 0);
  dispatcher.report(odd, { score: 0.5 }, 0);
  dispatcher.pollEvent(3_000);
  for (let scrape = 0; scrape < 2; scrape += 1) {
    const text = await registry.metrics();
    assert.deepEqual(samples(text), samples(dispatcher.metrics()));
    assert.match(text, /^# TYPE callsteer_decisions_total counter$/m);
    assert.match(text, /^callsteer_set_desired_destinations\{set="7"\} 1$/m);
    dispatcher.begin({ callId: '2', set: 7 }, 3_000);
  }
  unregister();
  assert.equal((await registry.metrics()).trim(), '');
});
