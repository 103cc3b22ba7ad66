// Signed reports: the bytes that are signed, and keys as they are read. What is refused stands in examples/contract.json.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { ReportKeys, parseReportKeys, signature } from '../report-keys.js';

const { signatures } = JSON.parse(readFileSync(new URL('../../../testdata/http/report_signatures.json', import.meta.url)));
const KEY = '6b1f0a2de84c4f7f9d3b5a7c2e9018d4';
const OTHER = 'c58d3e7710b94a0e8f26a1d9534b7e62';
const AT = 1_790_000_000_000;
const SENT = { method: 'POST', target: '/bridges/b1/report', type: 'text/plain', body: 'up\n' };

for (const { about, key, at, method, target, type, orca, body, signature: expected } of signatures) {
  test(about, () => {
    const sent = { method, target, type, orca, body };
    assert.equal(signature(key, at, sent), expected);
    new ReportKeys(new Map([['b1', key]])).check('b1', expected, sent, at);
  });
}

test('clocks may be so far apart and no further', () => {
  const check = (milliseconds) =>
    new ReportKeys(new Map([['b1', KEY]])).check('b1', signature(KEY, AT, SENT), SENT, AT + milliseconds);
  check(300_000);
  check(-300_000);
  assert.throws(() => check(300_001), { status: 401, code: 'invalid_signature' });
  assert.throws(() => check(-300_001), { status: 401, code: 'invalid_signature' });
});

test('a forged report does not keep the next real one out', () => {
  const keys = new ReportKeys(new Map([['b1', KEY]]));
  assert.throws(() => keys.check('b1', signature(OTHER, AT + 1, SENT), SENT, AT), { code: 'invalid_signature' });
  keys.check('b1', signature(KEY, AT, SENT), SENT, AT);
});

test('keys are read, with what is wrong and where', () => {
  const check = (text, message) => assert.throws(() => parseReportKeys(Buffer.from(text, 'latin1')), { message });
  const read = parseReportKeys(Buffer.from(`# of the fleet\n\nb1 ${KEY}\r\n  sip:10.0.0.1\t${OTHER}\n`));
  assert.deepEqual([...read], [['b1', KEY], ['sip:10.0.0.1', OTHER]]);
  assert.equal(parseReportKeys(Buffer.alloc(0)).size, 0);
  check('b1\n', "line 1: is a bridge's id and its key");
  check(`\nb1 ${KEY} x\n`, "line 2: is a bridge's id and its key");
  check(`b1 ${KEY}\nb1 ${OTHER}\n`, 'line 2: "b1" stands there twice');
  check(`b1 ${KEY.slice(1)}\n`, 'line 1: the key has 31 bytes, fewer than 32');
  check(`\xff ${KEY}\n`, /UTF-8|encoded data/i);
});
