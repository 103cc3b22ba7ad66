import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { test } from 'node:test';

import { httpGet } from '../probe/http-get.js';
import { sipOptions } from '../probe/sip-options.js';
import { requestUri, target } from '../probe/sip-uri.js';

const NEVER = new AbortController().signal;

test('a SIP URI says where it leads', () => {
  const check = (uri, transport, host, port) => assert.deepEqual(target(uri), { transport, host, port }, uri);
  check('sip:10.0.0.1', 'udp', '10.0.0.1', 5060);
  check('sip:10.0.0.1:5080', 'udp', '10.0.0.1', 5080);
  check('sip:user:secret@bridge.example.com;lr;transport=TCP', 'tcp', 'bridge.example.com', 5060);
  check('sips:bridge.example.com', 'tls', 'bridge.example.com', 5061);
  check('sips:bridge.example.com;transport=tcp', 'tls', 'bridge.example.com', 5061);
  check('sip:[2001:db8::1]:5070;transport=tls?subject=x', 'tls', '2001:db8::1', 5070);
  check('sip:bridge.example.com;maddr=10.0.0.9', 'udp', '10.0.0.9', 5060);
  assert.equal(requestUri('sip:a@b;method=INVITE;lr?subject=x'), 'sip:a@b;lr');
});

test('a URI that no probe can be sent to is refused', () => {
  const check = (uri, message) => assert.throws(() => target(uri), { message });
  check('tel:+4930123', 'tel:+4930123 is not a SIP URI');
  check('sip:', 'sip: is not a SIP URI');
  check('sip:a:0', 'sip:a:0 has the port 0');
  check('sip:a:65536', 'sip:a:65536 has the port 65536');
  check('sip:a;transport=ws', 'sip:a;transport=ws has the transport ws; known are udp, tcp, tls');
});

const reply = (request, status, more = '') => {
  const kept = request.split('\r\n').filter((line) => /^(Via|From|To|Call-ID|CSeq):/.test(line));
  return [`SIP/2.0 ${status}`, ...kept, ...(more ? [more] : []), 'Content-Length: 0', '', ''].join('\r\n');
};

/** A bridge over UDP; `answer(request, count)` gives the datagrams that it sends back. */
async function udpBridge(t, answer) {
  const socket = dgram.createSocket('udp4');
  const requests = [];
  socket.on('message', (bytes, { port, address }) => {
    requests.push(bytes.toString());
    answer(requests.at(-1), requests.length).forEach((text) => socket.send(text, port, address));
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  return { uri: `sip:127.0.0.1:${socket.address().port}`, requests };
}

test('OPTIONS over UDP waits for the final reply to itself', async (t) => {
  const { uri, requests } = await udpBridge(t, (request) => [
    'noise',
    reply(request.replace(/branch=[^;]*/, 'branch=z9hG4bKother'), '503 Of another'),
    reply(request.replace(/Call-ID: .*/, 'Call-ID: other'), '503 Of another'),
    reply(request, '100 Trying'),
    reply(request, '503 Full', 'Retry-After: 120 (soon);duration=60'),
  ]);
  assert.deepEqual(await sipOptions(uri, { signal: NEVER }), { reply: 503, retryAfter: 120 });
  const [first] = requests;
  assert.ok(first.startsWith(`OPTIONS ${uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:`), first);
  assert.ok(first.endsWith('\r\nContent-Length: 0\r\n\r\n'), first);
});

test('OPTIONS over UDP are sent again, the same bytes', async (t) => {
  const { uri, requests } = await udpBridge(t, (request, count) => (count < 3 ? [] : [reply(request, '200 OK')]));
  assert.deepEqual(await sipOptions(uri, { signal: NEVER, t1: 10 }), { reply: 200, retryAfter: undefined });
  assert.equal(new Set(requests).size, 1);
});

test('compact and folded headers are read', async (t) => {
  const { uri } = await udpBridge(t, (request) => [
    reply(request, '200 OK').replace('Via: ', 'v: ').replace('Call-ID:', 'i :').replace(';branch', '\r\n ;branch'),
  ]);
  assert.equal((await sipOptions(uri, { signal: NEVER })).reply, 200);
});

test('a port where nobody listens is known at once', async (t) => {
  const socket = dgram.createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  await assert.rejects(sipOptions(`sip:127.0.0.1:${port}`, { signal: NEVER }), { code: 'ECONNREFUSED' });
});

test('a probe ends when nobody wants its answer, and when its time is over', async (t) => {
  const { uri } = await udpBridge(t, () => []);
  const abort = new AbortController();
  const probe = sipOptions(uri, { signal: abort.signal });
  abort.abort();
  await assert.rejects(probe, { name: 'AbortError' });
  await assert.rejects(sipOptions(uri, { signal: NEVER, t1: 1 }), { name: 'AbortError' });
});

/** A bridge over TCP; `answer(request)` gives the pieces that it sends back, the last one may be null: it hangs up. */
async function tcpBridge(t, answer) {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      for (const piece of answer(bytes.toString())) {
        if (piece === null) {
          socket.end();
        } else {
          socket.write(piece);
        }
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    sockets.forEach((socket) => socket.destroy());
    server.close();
  });
  return `sip:127.0.0.1:${server.address().port};transport=tcp`;
}

test('OPTIONS over TCP read a stream of replies', async (t) => {
  const uri = await tcpBridge(t, (request) => {
    const provisional = reply(request, '183 Progress').replace('Content-Length: 0', 'Content-Length: 6');
    return [`${provisional}\r\n\r\nab`, reply(request, '200 OK').slice(0, 30), reply(request, '200 OK').slice(30)];
  });
  assert.deepEqual(await sipOptions(uri, { signal: NEVER }), { reply: 200, retryAfter: undefined });
});

test('a stream without a reply is no answer', async (t) => {
  const closed = await tcpBridge(t, () => [null]);
  await assert.rejects(sipOptions(closed, { signal: NEVER }), { message: 'the connection was closed without a reply' });
  const endless = await tcpBridge(t, () => ['x'.repeat(70_000)]);
  await assert.rejects(sipOptions(endless, { signal: NEVER }), { message: 'the reply has no end' });
  const silent = await tcpBridge(t, () => []);
  await assert.rejects(sipOptions(silent, { signal: NEVER, t1: 1 }), { name: 'AbortError' });
});

test('an HTTP GET gives its status, whatever it is', async (t) => {
  const server = http.createServer((request, response) => {
    const status = Number(request.url.slice(1));
    response.writeHead(status, { location: '/200', ...(status === 503 ? { 'retry-after': '7' } : {}) }).end('x');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${server.address().port}`;
  const check = async (status, retryAfter) =>
    assert.deepEqual(await httpGet(`${url}/${status}`, { signal: NEVER }), { reply: status, retryAfter });
  await check(200);
  await check(302);
  await check(503, 7);
});
