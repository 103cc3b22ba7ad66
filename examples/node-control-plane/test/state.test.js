// What a control plane with --state remembers when it is started again.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

import pino from 'pino';

import { ControlPlane } from '../control-plane.js';
import { Kept, keep } from '../kept.js';
import { SettingsError, readSettings } from '../settings.js';
import { NODE, spawnServer } from './servers.js';

const LIST = '1 sip:10.0.0.1 32\n1 sip:10.0.0.2 32\n1 sip:10.0.0.3 32\n';
/** An optional dependency. */
const skip = (() => {
  try {
    createRequire(import.meta.url)('better-sqlite3')(':memory:').close();
    return false;
  } catch {
    return 'better-sqlite3 is not there';
  }
})();
const quiet = pino({ level: 'silent' });

/** A folder of the test with a list and a configuration in it; what a control plane is started with. */
function files(t) {
  const folder = mkdtempSync(path.join(tmpdir(), 'callsteer-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [list, config, state] = ['dispatcher.list', 'config.json', 'state'].map((name) => path.join(folder, name));
  writeFileSync(list, LIST);
  writeFileSync(config, '{"probing": {"mode": "off"}, "tenants": {"sales": {"max_calls": 9}}}');
  return { list, config, state };
}

const start = (settings) => new ControlPlane(readSettings({ stateSync: 'second', ...settings }, {}), quiet);

test('a server that is killed while it answers has lost nothing that it answered', { skip }, async (t) => {
  const { list, config, state } = files(t);
  const args = ['--list', list, '--config', config, '--state', state, '--port', '0'];
  const placed = new Map();
  const over = new Set();
  let unanswered = 0;
  for (let life = 0; life <= 6; life += 1) {
    const server = spawnServer(NODE, args);
    t.after(server.stop);
    const url = await server.listening;
    const ask = async (method, where, body) => {
      const headers = body && { 'content-type': 'application/json' };
      const answer = await fetch(`${url}${where}`, { method, headers, body: body && JSON.stringify(body) });
      return { status: answer.status, body: answer.status === 204 ? undefined : await answer.json() };
    };
    for (const [callId, uri] of placed) {
      assert.equal((await ask('GET', `/calls/${callId}`)).body.destination?.uri, uri, callId);
    }
    for (const callId of over) {
      assert.equal((await ask('GET', `/calls/${callId}`)).status, 404, callId);
    }
    const counted = (await ask('GET', '/bridges')).body.reduce((sum, { calls }) => sum + calls, 0);
    assert(counted >= placed.size && counted <= placed.size + unanswered, `${counted} of ${placed.size}`);
    // Calls come, and some end, until it is killed in the midst of it.
    let left = 7 * (life + 1);
    const killed = once(server.child, 'exit');
    const answered = () => {
      left -= 1;
      if (left === 0) {
        server.child.kill('SIGKILL');
      }
    };
    const calls = Array.from({ length: 60 }, async (_, number) => {
      const callId = `call-${life}-${number}`;
      try {
        const { status, body } = await ask('POST', '/calls', { call_id: callId });
        assert.equal(status, 201);
        placed.set(callId, body.destination.uri);
        answered();
        if (number % 3 === 0) {
          placed.delete(callId);
          unanswered += 1;
          assert.equal((await ask('DELETE', `/calls/${callId}`)).status, 204);
          unanswered -= 1;
          over.add(callId);
          answered();
        }
      } catch (error) {
        assert(error instanceof TypeError, error);
        unanswered += 1;
      }
    });
    await Promise.all(calls);
    await killed;
  }
  assert(placed.size > 50 && over.size > 10, `${placed.size} ${over.size}`);
});

test('everything that was done is there again', { skip }, (t) => {
  const settings = files(t);
  const plane = start(settings);
  for (let number = 0; number < 9; number += 1) {
    plane.begin({ callId: `call-${number}`, tenant: 'sales', class: 'voice' });
  }
  assert.throws(() => plane.begin({ callId: 'call-9', tenant: 'sales' }), { code: 'tenant_full' });
  plane.confirm('call-0');
  plane.fail('call-1', { reply: 503 });
  plane.fail('call-2', { reply: 'timeout' });
  plane.end('call-2');
  plane.report('sip:10.0.0.1', 1, { score: 0.4, activeCalls: 4, sequence: 3 });
  plane.drain('sip:10.0.0.1', 1, 600);
  plane.setEnabled('sip:10.0.0.2', 1, false);
  plane.replaceList(Buffer.from('1 sip:10.0.0.1 32\n1 sip:10.0.0.9 32\n'), { dryRun: false });
  plane.reconcile('sip:10.0.0.1', 1, []);
  const before = plane.bridges();
  plane.crash();
  const again = start(settings);
  assert.deepEqual(again.bridges(), before);
  assert.equal(again.begin({ callId: 'call-5' }).isRepeated, true);
  assert.throws(() => start(settings), /in use by another process/);
  again.stop();
  // Another list than the time before.
  writeFileSync(settings.list, '1 sip:10.0.0.3 32\n');
  const other = start(settings);
  const seated = other.bridges().filter(({ standing }) => standing !== 'removed');
  assert.deepEqual(seated.map(({ id }) => id), ['sip:10.0.0.3']);
  other.stop();
});

test('a damaged state, and one that belongs to something else, is refused and said', { skip }, (t) => {
  const Database = createRequire(import.meta.url)('better-sqlite3');
  for (const [statement, said] of [
    ['DELETE FROM operation WHERE number = 2', /is damaged: operation 2 is missing\. Move it away/],
    ["UPDATE operation SET arguments = '[' WHERE number = 2", /is damaged: .*Move it away/],
    ["UPDATE operation SET name = 'dispose' WHERE number = 2", /operation "dispose" is not known/],
    ['UPDATE snapshot SET data = substr(data, 1, length(data) - 1)', /is damaged: .*cut off/],
    ['DELETE FROM snapshot', /there is a journal, and no snapshot/],
    ["UPDATE snapshot SET version = '0.0.9'", /made by version 0\.0\.9, which ended in the middle/],
    ['PRAGMA user_version = 9', /has version 9 of the format, and 1 is read here/],
    ['PRAGMA application_id = 9', /is a database of something else/],
  ]) {
    const settings = files(t);
    const plane = start(settings);
    ['a', 'b', 'c'].forEach((callId) => plane.begin({ callId }));
    plane.crash();
    const file = new Database(settings.state);
    file.exec(statement);
    file.close();
    const refused = (error) => error instanceof SettingsError && said.test(error.message);
    assert.throws(() => start(settings), refused, statement);
  }
  const settings = files(t);
  writeFileSync(settings.state, LIST.repeat(99));
  assert.throws(() => start(settings), /is damaged: file is not a database/);
  assert.throws(() => start({ ...settings, state: '/nowhere/at/all' }), /\/nowhere\/at\/all/);
  const { state } = files(t);
  start({ ...settings, state }).crash();
  writeFileSync(settings.config, '{"probing": {"mode": "off"}, "seed": 7}');
  assert.throws(() => start({ ...settings, state }), /made with another configuration/);
});

test('a snapshot takes the place of a journal that is long', { skip }, (t) => {
  const { state } = files(t);
  const longest = Kept.longest;
  t.after(() => (Kept.longest = longest));
  Kept.longest = 10;
  let now = 1e6;
  const settings = { path: state, sync: 'always', config: {}, bridges: Buffer.from(LIST), clock: () => (now += 1) };
  const { kept } = keep(settings);
  kept.applyList(Buffer.from(LIST));
  for (let number = 0; number < 95; number += 1) {
    kept.begin(`call-${number}`);
  }
  const before = kept.snapshotJson();
  kept.crash();
  const again = keep(settings);
  assert.equal(again.hasOtherBridges, false);
  assert.equal(again.kept.stats().calls, 95);
  const without = (json) => ({ ...JSON.parse(json).state, now: undefined });
  assert.deepEqual(without(again.kept.snapshotJson()).calls, without(before).calls);
  again.kept.close();
});
