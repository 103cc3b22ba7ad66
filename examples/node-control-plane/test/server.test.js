// The command: what it says where it cannot start, how it ends, and what it does beside HTTP.

import assert from 'node:assert/strict';
import cluster from 'node:cluster';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

import { FakeEventSocket } from './fakes/event-socket.js';
import { NODE, send, spawnServer, start } from './servers.js';

const SERVER = new URL('../server.js', import.meta.url);

/** A folder with these files, which goes with the test. */
function folderOf(t, files) {
  const folder = mkdtempSync(path.join(tmpdir(), 'callsteer-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(path.join(folder, name), content);
  }
  return (name) => path.join(folder, name);
}

test('what it cannot start with is said, with the place', async (t) => {
  const file = folderOf(t, {
    'bad.list': '1 sip:10.0.0.1\n1 sip:10.0.0.2 8junk\n',
    'unprobeable.list': '1 sip:a;transport=ws 0 0 duid=b1\n',
    'freeswitch.list': '1 sip:10.0.0.1 0 0 duid=b1;event_socket=10.0.0.1:8021\n',
    'legs.list': '1 sip:10.0.0.1 0 0 duid=b1;event_socket=10.0.0.1:8021;legs_per_call=0\n',
    'socket.list': '1 sip:10.0.0.1 0 0 duid=b1;event_socket=8021\n',
    'bad.json': '{"algorithm": }',
    'unknown.json': '{"setup_timout": 60}',
    'wrong.json': '{"dispatchers": 0}',
    'array.json': '[]',
    'short.keys': 'b1 short\n',
  });
  const taken = net.createServer();
  taken.listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => taken.close());
  const { port } = taken.address();

  const check = async (args, expected, environment) => {
    const run = spawnServer(NODE, ['--port', '0', ...args], environment);
    // One that starts after all is ended, so that its code is another one.
    run.listening.then(run.stop, () => {});
    const { code, said } = await run.over;
    const what = expected.replaceAll('FILE:', `${args.at(-1)}:`);
    assert.equal(code, 2, said);
    assert.ok(said.includes(`callsteer: ${what}`), `${said}\nis not\n${what}`);
    assert.ok(!said.includes('    at '), said);
  };
  await Promise.all([
    check(['--list', file('none.list')], 'FILE: there is no such file'),
    check(['--list', file('bad.list')], 'FILE: line 2, column 16: '),
    check(['--list', file('unprobeable.list')], 'FILE: line 1: destination "b1": sip:a;transport=ws has the transport ws; known are udp, tcp, tls; flag 32'),
    check(['--list', file('freeswitch.list')], 'FILE: line 1: destination "b1": event_socket needs CALLSTEER_EVENT_SOCKET_PASSWORD'),
    check(['--list', file('socket.list')], 'FILE: line 1: destination "b1": event_socket is HOST:PORT, not "8021"'),
    check(['--list', file('legs.list')], 'FILE: line 1: destination "b1": legs_per_call is 1 to 9, not "0"'),
    check(['--config', file('bad.json')], 'FILE: expected value at line 1 column 15'),
    check(['--config', file('unknown.json')], 'FILE: unknown field `setup_timout`, expected one of '),
    check(['--config', file('wrong.json')], 'FILE: dispatchers: is 1 to 1000'),
    check(['--config', file('array.json')], 'FILE: a configuration is an object, not a list'),
    check(['--report-keys', file('short.keys')], 'FILE: line 1: the key has 5 bytes, fewer than 32'),
    check(['--port', '65536'], '--port is 0 to 65535, not 65536'),
    check(['--port', String(port)], `cannot listen on 127.0.0.1, port ${port}: `),
    check(['--host', '0.0.0.0'], '0.0.0.0 is no loopback address: set CALLSTEER_TOKEN'),
    check([], 'CALLSTEER_TOKEN is empty, or has a space', { CALLSTEER_TOKEN: 'a\n' }),
    check(['--lst', 'x'], "Unknown option '--lst'"),
  ]);
});

test('with a token it serves on any address', async (t) => {
  const run = spawnServer(NODE, ['--host', '0.0.0.0', '--port', '0'], { CALLSTEER_TOKEN: 'x' });
  t.after(run.stop);
  const { port } = new URL(await run.listening);
  assert.equal((await send(`http://127.0.0.1:${port}`, { method: 'GET', path: '/healthz' })).status, 204);
});

test('SIGTERM ends it with 0, after the requests that are under way', async (t) => {
  const { url, child, over } = await start(t, NODE, { list: '1 sip:10.0.0.1 0 0 duid=b1\n' });
  const { hostname, port } = new URL(url);
  const body = JSON.stringify({ call_id: 'a' });
  const headers = { 'content-type': 'application/json', 'content-length': body.length, expect: '100-continue' };
  const request = http.request({ hostname, port, method: 'POST', path: '/calls', headers });
  request.flushHeaders();
  await once(request, 'continue');
  child.kill('SIGTERM');
  // It takes no new connection any more, but this request is answered.
  const refused = async () => {
    const socket = net.connect(Number(port), hostname);
    const [event] = await Promise.race([once(socket, 'connect').then(() => ['connect'], () => ['error'])]);
    socket.destroy();
    return event === 'error';
  };
  while (!(await refused()));
  request.end(body);
  const [response] = await once(request, 'response');
  response.resume();
  assert.equal(response.statusCode, 201);
  const { code, signal } = await over;
  assert.deepEqual([code, signal], [0, null]);
});

test('a second dispatcher in a worker is an error that says so', async () => {
  const check = async (worker, what) => {
    let said = '';
    const stderr = worker.stderr ?? worker.process.stderr;
    stderr.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
    const [code] = await once(worker, 'exit');
    assert.equal(code, 2);
    assert.match(said, new RegExp(`^callsteer: ${what} would have a dispatcher of its own, .* ask it over HTTP\\n$`));
  };
  await check(new Worker(SERVER, { argv: ['--port', '0'], stderr: true }), 'a worker thread');
  cluster.setupPrimary({ exec: fileURLToPath(SERVER), args: ['--port', '0'], silent: true });
  await check(cluster.fork(), 'a worker of a cluster');
});

/** Asks until a bridge is as it should be. */
async function until(url, id, isSo) {
  for (;;) {
    const { body } = await send(url, { method: 'GET', path: '/bridges' });
    const bridge = JSON.parse(body).find((bridge) => bridge.id === id);
    if (isSo(bridge)) {
      return bridge;
    }
  }
}

const post = (url, target, json) =>
  send(url, { method: 'POST', path: target, headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) });

test('bridges are probed, by SIP and by HTTP', { timeout: 30_000 }, async (t) => {
  let status = '200 OK';
  const bridge = dgram.createSocket('udp4');
  bridge.on('message', (bytes, { port, address }) => {
    const kept = bytes.toString().split('\r\n').filter((line) => /^(Via|From|To|Call-ID|CSeq):/.test(line));
    bridge.send([`SIP/2.0 ${status}`, ...kept, 'Content-Length: 0', '', ''].join('\r\n'), port, address);
  });
  bridge.bind(0, '127.0.0.1');
  await once(bridge, 'listening');
  t.after(() => bridge.close());
  const web = http.createServer((request, response) => response.writeHead(status === '200 OK' ? 200 : 500).end());
  web.listen(0, '127.0.0.1');
  await once(web, 'listening');
  t.after(() => web.close());

  const list = [
    `1 sip:127.0.0.1:${bridge.address().port} 0 0 duid=sip`,
    `1 sip:10.0.0.1 0 0 duid=http;probe=http://127.0.0.1:${web.address().port}/health`,
    '1 sip:127.0.0.1:9 1 0 duid=down',
  ];
  const config = { probing: { mode: 'all', interval: 0.05, timeout: 1 }, health: { probing_threshold: 2, inactive_threshold: 2 } };
  const { url } = await start(t, NODE, { list: `${list.join('\n')}\n`, config });
  const isTrying = ({ observed }) => observed !== 'active';
  await until(url, 'down', ({ standing }) => standing === 'inactive');
  status = '500 Down';
  await until(url, 'sip', isTrying);
  await until(url, 'http', isTrying);
  await until(url, 'sip', ({ observed }) => observed === 'inactive');
  status = '200 OK';
  await until(url, 'sip', ({ observed }) => observed === 'active');
  await until(url, 'http', ({ observed }) => observed === 'active');
});

test('a FreeSWITCH says how loaded it is, and which calls are over', { timeout: 30_000 }, async (t) => {
  const fake = new FakeEventSocket('s3cret');
  const port = await fake.start();
  t.after(() => fake.stop());
  const { url } = await start(t, NODE, {
    list: `1 sip:10.0.0.1 0 0 duid=b1;event_socket=127.0.0.1:${port};legs_per_call=2\n`,
    environment: { CALLSTEER_EVENT_SOCKET_PASSWORD: 's3cret' },
  });
  await once(fake, 'subscribed');
  await post(url, '/calls', { call_id: 'a@x' });
  await post(url, '/calls', { call_id: 'b@x' });
  fake.event({ 'Event-Name': 'HEARTBEAT', 'Session-Count': '30', 'Max-Sessions': '120', 'Idle-CPU': '80.0' });
  const { calls } = await until(url, 'b1', ({ score }) => score === 0.25);
  assert.equal(calls, 2);
  const { body } = await send(url, { method: 'GET', path: '/capacity' });
  // 120 sessions are 60 calls.
  assert.equal(JSON.parse(body).slots, 60);
  fake.event({ 'Event-Name': 'CHANNEL_ANSWER', variable_sip_call_id: 'a@x', 'Caller-Channel-Answered-Time': '1' });
  fake.event({ 'Event-Name': 'CHANNEL_HANGUP_COMPLETE', variable_sip_call_id: 'a@x', 'Caller-Channel-Answered-Time': '1' });
  await until(url, 'b1', ({ calls }) => calls === 1);

  // Another list: it is listened to no more.
  const gone = once(fake, 'gone');
  await send(url, { method: 'POST', path: '/list', headers: { 'content-type': 'text/plain' }, body: '1 sip:10.0.0.1 0 0 duid=b1\n' });
  await gone;
});
