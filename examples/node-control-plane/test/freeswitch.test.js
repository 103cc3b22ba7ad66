import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';

import { EventSocket } from '../freeswitch/event-socket.js';
import { Frames } from '../freeswitch/frames.js';
import { listen } from '../freeswitch/listener.js';
import { FakeEventSocket } from './fakes/event-socket.js';

const QUICK = { first: 1, longest: 5 };

test('frames are found wherever the network cuts them', () => {
  const text = 'Content-Type: auth/request\n\nContent-Length: 5\nContent-Type: x\n\nä\n\nbA: 1\n\n';
  const expected = [
    [{ 'content-type': 'auth/request' }, ''],
    [{ 'content-length': '5', 'content-type': 'x' }, 'ä\n\nb'],
    [{ a: '1' }, ''],
  ];
  const bytes = Buffer.from(text);
  for (let piece = 1; piece <= bytes.length; piece += 1) {
    const frames = new Frames();
    const found = [];
    for (let at = 0; at < bytes.length; at += piece) {
      found.push(...frames.take(bytes.subarray(at, at + piece)));
    }
    assert.deepEqual(found.map(({ headers, body }) => [Object.fromEntries(headers), body]), expected, `pieces of ${piece}`);
  }
});

test('a frame that can have no end is refused', () => {
  const refuses = (text, message) => assert.throws(() => [...new Frames().take(Buffer.from(text))], { message });
  refuses('Content-Length: -1\n\n', 'a Content-Length is 0 to 4194304, not "-1"');
  refuses('Content-Length: 4194305\n\n', 'a Content-Length is 0 to 4194304, not "4194305"');
  refuses('x'.repeat(65_537), 'a header has more than 65536 bytes');
});

/** A fake, a listener to it, and what the listener tells the bridge; both end with the test. */
async function setUp(t, { password = 'ClueCon', here = () => true } = {}) {
  const fake = new FakeEventSocket('ClueCon');
  const port = await fake.start();
  const told = [];
  const said = [];
  const bridge = {
    heartbeat: (text) => told.push(['heartbeat', JSON.parse(text)['Session-Count']]),
    isHere: here,
    confirm: (callId) => told.push(['confirm', callId]),
    end: (callId) => told.push(['end', callId]),
  };
  const log = { info: (text) => said.push(text), warn: (text) => said.push(text) };
  const socket = listen({ bridge, log, host: '127.0.0.1', port, password, pauses: QUICK });
  t.after(async () => {
    socket.stop();
    await fake.stop();
  });
  return { fake, socket, told, said, bridge };
}

const channel = (name, callId, fields = {}) => ({ 'Event-Name': name, variable_sip_call_id: callId, ...fields });
const heartbeat = (count) => ({ 'Event-Name': 'HEARTBEAT', 'Session-Count': String(count), 'Max-Sessions': '100' });

/** The fake sends events in order: when this one is there, those before it were taken. */
async function everythingIsTaken({ fake, socket, told }) {
  fake.event(heartbeat('last'));
  while (told.at(-1)?.[1] !== 'last') {
    await once(socket, 'event');
  }
  told.pop();
}

test('heartbeats are reports, answers confirm, hang-ups end', async (t) => {
  const it = await setUp(t);
  await once(it.socket, 'up');
  assert.deepEqual(it.fake.commands, ['auth ClueCon', 'event json HEARTBEAT CHANNEL_ANSWER CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE']);
  const answered = { 'Caller-Channel-Answered-Time': '1714557600000001' };
  it.fake.event(heartbeat(12));
  it.fake.event(channel('CHANNEL_ANSWER', 'a@x', answered));
  it.fake.event(channel('CHANNEL_HANGUP', 'a@x', { ...answered, 'Hangup-Cause': 'NORMAL_CLEARING' }));
  it.fake.event(channel('CHANNEL_HANGUP', 'refused@x', { 'Caller-Channel-Answered-Time': '0', 'Hangup-Cause': 'USER_BUSY' }));
  it.fake.event(channel('CHANNEL_HANGUP_COMPLETE', 'gave-up@x', { 'Hangup-Cause': 'ORIGINATOR_CANCEL' }));
  it.fake.event({ 'Event-Name': 'CHANNEL_ANSWER', 'Unique-ID': 'no SIP leg' });
  await everythingIsTaken(it);
  assert.deepEqual(it.told, [['heartbeat', '12'], ['confirm', 'a@x'], ['end', 'a@x'], ['end', 'gave-up@x']]);
});

test('a call that has moved on is left alone', async (t) => {
  const it = await setUp(t, { here: (callId) => callId === 'here@x' });
  await once(it.socket, 'up');
  const answered = { 'Caller-Channel-Answered-Time': '1' };
  it.fake.event(channel('CHANNEL_HANGUP', 'elsewhere@x', answered));
  it.fake.event(channel('CHANNEL_HANGUP', 'here@x', answered));
  await everythingIsTaken(it);
  assert.deepEqual(it.told, [['end', 'here@x']]);
});

test('an event that is refused harms no other one, and its reason is said', async (t) => {
  const it = await setUp(t);
  await once(it.socket, 'up');
  it.bridge.confirm = () => {
    throw new Error('the call has ended, or never was');
  };
  it.fake.event(channel('CHANNEL_ANSWER', 'a@x'));
  await everythingIsTaken(it);
  assert.equal(it.said.at(-1), 'event socket: CHANNEL_ANSWER: the call has ended, or never was');
});

test('a connection that is lost comes back, and is subscribed again', async (t) => {
  const it = await setUp(t);
  await once(it.socket, 'up');
  await it.fake.stop();
  await once(it.socket, 'down');
  await it.fake.start();
  await once(it.socket, 'up');
  it.fake.event(heartbeat(3));
  await once(it.socket, 'event');
  assert.deepEqual(it.told, [['heartbeat', '3']]);
});

test('why there is no connection is said', async (t) => {
  const check = async (expected, cause, options) => {
    const it = await setUp(t, options);
    const down = once(it.socket, 'down');
    if (cause) {
      await once(it.socket, 'up');
      cause(it.fake);
    }
    const [error] = await down;
    assert.equal(error.message, expected);
    it.socket.stop();
  };
  await check('refused: invalid', undefined, { password: 'wrong' });
  await check('it closes the connection', (fake) => fake.disconnect());
  await check('refused by its access list (apply-inbound-acl)', (fake) => {
    fake.raw('Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n');
  });
  await check('an event has no Event-Name', (fake) => {
    fake.raw('Content-Length: 2\nContent-Type: text/event-json\n\n{}');
  });
  await check('a Content-Length is 0 to 4194304, not "many"', (fake) => fake.raw('Content-Length: many\n\n'));
  assert.throws(() => new EventSocket({ password: 'a\nb' }), /no line breaks/);
});

test('one that says nothing any more is given up', async (t) => {
  const fake = new FakeEventSocket('ClueCon');
  const port = await fake.start();
  const socket = new EventSocket({ host: '127.0.0.1', port, password: 'ClueCon', events: ['HEARTBEAT'], silence: 20, pauses: QUICK });
  t.after(async () => {
    socket.stop();
    await fake.stop();
  });
  socket.start();
  const [error] = await once(socket, 'down');
  assert.equal(error.message, 'said nothing for 0.02 s');
});
