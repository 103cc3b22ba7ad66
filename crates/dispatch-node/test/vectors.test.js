// Runs the vectors that all languages share.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');

const { Driver, name } = require('./driver.js');
const { fromNode, ms } = require('./names.js');

const FOLDER = path.join(__dirname, '../../../testdata');
const OF_A_FILE = ['name', 'about', 'config', 'steps'];
const OF_A_STEP = ['do', 'about', 'at', 'gives', 'error', 'answer', 'says', 'state', 'stats'];

for (const file of fs.readdirSync(FOLDER).filter((entry) => entry.endsWith('.json'))) {
  test(file, () => {
    const vectors = JSON.parse(fs.readFileSync(path.join(FOLDER, file), 'utf8'));
    knows(OF_A_FILE, vectors);
    assert.equal(`${vectors.name}.json`, file);
    const driver = new Driver(vectors.config);
    vectors.steps.forEach((step, index) => {
      try {
        run(driver, step);
      } catch (error) {
        throw new Error(`step ${index + 1}, ${JSON.stringify(step)}: ${error.message}`, { cause: error });
      }
    });
  });
}

function run(driver, step) {
  const [names, command] = Driver.commands[step.do] ?? assert.fail('an unknown command');
  knows([...OF_A_STEP, ...names.split(' ')], step);
  assert(step.error !== undefined || !('answer' in step || 'says' in step), 'of which error?');
  driver.now = step.at === undefined ? driver.now : ms(step.at);
  let gives = null;
  let refused;
  try {
    gives = command(driver, step) ?? null;
  } catch (error) {
    if (error.name !== 'CallsteerError') throw error;
    refused = error;
  }
  for (const destination of driver.node.destinations()) driver.named.set(name(destination), destination);
  assert.equal(refused?.code, step.error, refused?.message);
  same(gives, step.gives ?? null);
  if ('answer' in step) same([refused.status, refused.retryAfterSeconds ?? null], step.answer);
  if ('says' in step) assert(refused.message.includes(step.says), refused.message);
  for (const [who, state] of Object.entries(step.state ?? {})) {
    const destination = driver.named.get(who);
    const now = destination === undefined ? null : fromNode(driver.node.status(destination));
    part(now, state);
  }
  part(fromNode(driver.node.stats()), step.stats ?? {});
}

/** Fails on a key that is not known. */
function knows(names, object) {
  for (const key of Object.keys(object)) assert(names.includes(key), `the key ${key} is not known`);
}

/** All that is wanted is there. */
function part(got, wanted) {
  if (wanted === null || got === null) return assert.equal(got, wanted);
  knows(Object.keys(got), wanted);
  for (const [key, value] of Object.entries(wanted)) same(got[key], value);
}

/** Equal, where numbers may differ by 1e-9. */
function same(got, wanted) {
  assert.deepEqual(round(got), round(wanted));
}

function round(value) {
  if (typeof value === 'number') return Number(value.toFixed(8));
  if (Array.isArray(value)) return value.map(round);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, round(field)]));
}
