// The control plane does what examples/contract.json says, and answers as examples/openapi.json allows. The one
// on FastAPI is asked the same in crates/dispatch-py/tests/control_plane/test_scenarios.py.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { Ajv2020 } from 'ajv/dist/2020.js';

import { signature } from '../report-keys.js';
import { NODE, send, start } from './servers.js';

const read = (name) => JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url)));
const scenarios = read('contract.json');
const contract = read('openapi.json');
const ajv = new Ajv2020({ strict: false });
ajv.addSchema(contract, 'contract');

for (const scenario of scenarios) {
  test(scenario.name, async (t) => {
    const { url } = await start(t, NODE, scenario);
    const now = Date.now();
    for (const [index, exchange] of scenario.exchanges.entries()) {
      await check(url, exchange, now, `exchange ${index + 1}: ${exchange.send}`);
    }
  });
}

/** Sends one exchange and compares what comes back: what it does not name may be anything. */
async function check(url, exchange, now, where) {
  const { about, send: line, headers: more, json, text, bytes, signs, status, carries = {}, gives, says, problem, ...unknown } = exchange;
  assert.deepEqual(Object.keys(unknown), [], `${where}: keys that nobody knows`);
  const [method, path] = line.split(' ');
  const [type, body] = bodyOf({ json, text, bytes });
  const headers = { ...(type && { 'content-type': type }), ...more };
  if (signs) {
    headers['callsteer-signature'] = sign(signs, now, { method, path, headers, body });
  }
  const answer = await send(url, { method, path, body, headers });

  assert.equal(answer.status, status, `${where}: ${answer.body}`);
  for (const [name, value] of Object.entries(carries)) {
    assert.equal(answer.headers[name], value, `${where}: header ${name}`);
  }
  if (problem) {
    assert.equal(answer.headers['content-type'], 'application/problem+json', where);
    covers(JSON.parse(answer.body), { status, code: problem }, where);
  }
  if (gives !== undefined) {
    covers(JSON.parse(answer.body), gives, where);
  }
  if (says !== undefined) {
    assert.ok(answer.body.includes(says), `${where}: ${answer.body}`);
  }
  isAllowed(method, path, answer, where);
}

/** Of what is sent, or of something else that is named; `at` is in milliseconds from the beginning. */
function sign({ key, at, said = at, ...other }, now, { method, path: target, headers, body = '' }) {
  const sent = { method, target, type: headers['content-type'] ?? '', orca: headers['endpoint-load-metrics'], body };
  for (const name of Object.keys(other)) {
    assert.ok(name in sent, `nobody knows ${name}`);
  }
  return signature(key, now + at, { ...sent, ...other }).replace(`t=${now + at},`, `t=${now + said},`);
}

function bodyOf({ json, text, bytes }) {
  if (json !== undefined) {
    return ['application/json', JSON.stringify(json)];
  }
  return text === undefined ? [undefined, bytes && 'x'.repeat(bytes)] : ['text/plain', text];
}

/** Whether a value has everything that is expected; arrays have as many items. */
function covers(value, expected, where) {
  if (Array.isArray(expected)) {
    assert.equal(value?.length, expected.length, `${where}: ${JSON.stringify(value)}`);
    expected.forEach((item, index) => covers(value[index], item, `${where}[${index}]`));
  } else if (typeof expected === 'object' && expected !== null) {
    assert.ok(typeof value === 'object' && value !== null, `${where}: ${JSON.stringify(value)}`);
    Object.entries(expected).forEach(([name, item]) => covers(value[name], item, `${where}.${name}`));
  } else {
    assert.equal(value, expected, where);
  }
}

/** Whether the contract has this answer. */
function isAllowed(method, target, { status, headers, body }, where) {
  const path = Object.keys(contract.paths).find((path) => matches(path, target.split('?')[0]));
  const operation = contract.paths[path]?.[method.toLowerCase()];
  if (!operation) {
    return;
  }
  const response = operation.responses[status];
  assert.ok(response, `${where}: the contract has no ${status} there`);
  const type = headers['content-type']?.split(';')[0];
  const schema = response.content?.[type]?.schema;
  assert.equal(Boolean(response.content), body !== '', `${where}: a body that the contract has not, or none: ${body}`);
  if (schema && type.endsWith('json')) {
    const validate = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"contract#/')));
    assert.ok(validate(JSON.parse(body)), `${where}: ${ajv.errorsText(validate.errors)}: ${body}`);
  } else if (response.content) {
    assert.ok(type in response.content, `${where}: the contract has no ${type} there`);
  }
}

const matches = (path, target) => new RegExp(`^${path.replace(/\{[^}]+\}/g, '[^/]+')}$`).test(target);
