// What a decision costs from JavaScript, beside what others cost: `cargo xtask bench node`.
'use strict';

const { spawnSync } = require('node:child_process');
const { writeFileSync } = require('node:fs');

const HashRing = require('hashring');
const { BalancedPool } = require('undici');

const { Dispatcher } = require('..');
const { native } = require('../dist/native.js');

const ROUNDS = process.argv.includes('--quick') ? 5 : 31;
const ROUND_MS = 10;
const BATCH = 256;
const CALL_IDS = Array.from({ length: 1_024 }, (_, index) => `a84b4c76e667${index}@pc33.example.com`);
const uris = (size) => Array.from({ length: size }, (_, index) => `http://10.0.${index >> 8}.${index & 255}:5060`);

/** The median over rounds of what each case costs, in ns. Every round measures all of them, so that what slows the
 * machine down slows all alike. A case that does several things at once says how many. */
function measure(cases) {
  const loops = Object.entries(cases).map(([name, { run, things = 1 }]) => {
    // Code of its own, so that V8 inlines one case without looking at the others.
    const loop = new Function(
      'run',
      'callIds',
      'return (count) => { while (count-- > 0) run(callIds[count & 1023]); };',
    );
    const once = loop(run, CALL_IDS);
    let count = 64;
    while (milliseconds(once, count) < ROUND_MS) count *= 2;
    return { name, once, count, things, costs: [] };
  });
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { once, count, things, costs } of loops) costs.push((milliseconds(once, count) / count / things) * 1e6);
  }
  return Object.fromEntries(loops.map(({ name, costs }) => [name, costs.sort((a, b) => a - b)[ROUNDS >> 1]]));
}

/** Time of the processor, as others may run on it too. */
function milliseconds(loop, count) {
  const start = process.cpuUsage();
  loop(count);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e3;
}

function print(title, costs, base) {
  console.log(`\n${title}`);
  for (const [name, cost] of Object.entries(costs)) {
    console.log(
      `  ${name.padEnd(58)} ${cost.toFixed(1).padStart(10)} ns ${(cost / costs[base]).toFixed(2).padStart(10)} x`,
    );
  }
}

function dispatcher(algorithm, size) {
  const dispatcher = new Dispatcher({ algorithm, warmUp: 0, probing: { mode: 'off' } });
  for (const uri of uris(size)) dispatcher.add(1, { uri }, 0);
  return dispatcher;
}

/** undici's choice of an upstream, without the request. */
function balancedPool(size) {
  const pool = new BalancedPool(uris(size));
  const select = Object.getOwnPropertySymbols(BalancedPool.prototype).find(
    ({ description }) => description === 'get dispatcher',
  );
  return () => pool[select]();
}

/** A ketama ring, asked anew each time: its cache would only show that it knows the 1,024 Call-IDs. */
function hashRing(size) {
  const ring = new HashRing(uris(size).map((uri) => uri.slice('http://'.length)));
  ring.cache = { get() {}, set() {} };
  return (callId) => ring.get(callId);
}

function border() {
  const loaded = dispatcher('call_load', 16);
  const turns = dispatcher('round_robin', 16);
  const cold = new native.Native({}, new Float64Array(5));
  const { empty } = cold.functions();
  const batch = CALL_IDS.slice(0, BATCH);
  const base = 'an empty raw N-API function';
  const costs = measure({
    [base]: { run: () => empty() },
    'a method of a napi-rs class: nextDeadline()': { run: () => cold.nextDeadline() },
    'pick, round_robin': { run: (callId) => turns.pick(callId, 1) },
    'pick, call_load': { run: (callId) => loaded.pick(callId, 1) },
    'begin + endCall, by Call-ID': { run: (callId) => (loaded.begin(callId, 1), loaded.endCall(callId, 1)) },
    'begin + end, by lease': { run: (callId) => loaded.end(loaded.begin(callId, 1).lease, 1) },
    'begin + end, by lease, with the default clock': { run: (callId) => loaded.end(loaded.begin(callId).lease) },
    'placeMany of 256 + end, by lease, per call': {
      run: () => loaded.placeMany(batch, 1).forEach(({ lease }) => loaded.end(lease, 1)),
      things: BATCH,
    },
    'performance.now()': { run: () => performance.now() },
  });
  print('The border, 16 destinations', costs, base);
  return costs;
}

function others(size) {
  const loaded = dispatcher('call_load', size);
  const turns = dispatcher('round_robin', size);
  const hashed = dispatcher('call_id_hash', size);
  const base = 'begin + endCall, call_load';
  const costs = measure({
    'pick, round_robin': { run: (callId) => turns.pick(callId, 1) },
    'pick, call_id_hash': { run: (callId) => hashed.pick(callId, 1) },
    [base]: { run: (callId) => (loaded.begin(callId, 1), loaded.endCall(callId, 1)) },
    'undici BalancedPool, its choice of an upstream': { run: balancedPool(size) },
    'hashring, without its cache': { run: hashRing(size) },
  });
  print(`A choice among ${size} destinations`, costs, base);
  return costs;
}

function targets({ border, 16: few, 1000: many }) {
  const pick = 'pick, round_robin';
  const undici = 'undici BalancedPool, its choice of an upstream';
  const hashring = 'hashring, without its cache';
  console.log('\nTargets');
  const target = (said, factor, most) =>
    console.log(`  ${said.padEnd(70)} ${factor.toFixed(2).padStart(8)}   ${factor <= most ? 'met' : 'MISSED'}`);
  target('pick / an empty raw function: at most 1.5', border[pick] / border['an empty raw N-API function'], 1.5);
  target('begin + endCall by Call-ID, in µs: at most 1', border['begin + endCall, by Call-ID'] / 1e3, 1);
  target('pick / BalancedPool, 16 destinations: below 1', few[pick] / few[undici], 1);
  target('pick / hashring, 16 destinations: below 1', few['pick, call_id_hash'] / few[hashring], 1);
  target('pick / BalancedPool, 1,000 destinations: at most 1/20', many[pick] / many[undici], 1 / 20);
}

const GROUPS = { border, 16: () => others(16), 1000: () => others(1_000) };

/** A group in a process of its own: V8 compiles a method for the few dispatchers that it has seen there. */
function apart(group) {
  const stdio = ['ignore', 'inherit', 'inherit', 'pipe'];
  const { status, output } = spawnSync(process.execPath, [__filename, ...process.argv.slice(2), '--group', group], {
    stdio,
  });
  if (status !== 0) process.exit(1);
  return JSON.parse(output[3].toString());
}

const at = (option) => process.argv[process.argv.indexOf(option) + 1];
if (process.argv.includes('--group')) {
  writeFileSync(3, JSON.stringify(GROUPS[at('--group')]()));
} else {
  const costs = Object.fromEntries(Object.keys(GROUPS).map((group) => [group, apart(group)]));
  targets(costs);
  if (process.argv.includes('--json')) writeFileSync(at('--json'), JSON.stringify(costs, null, 2));
}
