// The bridges that are a FreeSWITCH and say so: `event_socket=HOST:PORT` among their attributes.

import { parseHeartbeatJson } from 'callsteer';

import { Refusal } from '../refusal.js';
import { listen } from './listener.js';

const ATTRIBUTE = 'event_socket';
const LEGS = 'legs_per_call';

/** Listens to each of them, from `start` to `stop`; `sync` follows what the dispatcher has. */
export class FreeSwitches {
  #dispatcher;
  #password;
  #log;
  #sockets = new Map();
  #isStarted = false;

  constructor(dispatcher, password, log) {
    this.#dispatcher = dispatcher;
    this.#password = password;
    this.#log = log;
  }

  start() {
    this.#isStarted = true;
    this.sync();
  }

  stop() {
    this.#isStarted = false;
    this.#sockets.forEach((socket) => socket.stop());
    this.#sockets.clear();
  }

  /** Throws where a bridge has an event socket that nobody can listen to. */
  check({ id, attrs }) {
    if (ATTRIBUTE in attrs) {
      addressOf(id, attrs[ATTRIBUTE]);
      legsOf(id, attrs);
      if (this.#password === undefined) {
        throw refused(id, `${ATTRIBUTE} needs CALLSTEER_EVENT_SOCKET_PASSWORD in the environment`);
      }
    }
  }

  /** A bridge that left the list is listened to until its last call has ended. */
  sync() {
    if (!this.#isStarted) {
      return;
    }
    const wanted = new Map(this.#dispatcher.destinations()
      .filter(({ attrs }) => ATTRIBUTE in attrs)
      .map((destination) => [nameOf(destination), destination]));
    for (const [name, socket] of this.#sockets) {
      if (!wanted.has(name)) {
        socket.stop();
        this.#sockets.delete(name);
      }
    }
    for (const [name, destination] of wanted) {
      if (!this.#sockets.has(name)) {
        this.#sockets.set(name, this.#listen(destination));
      }
    }
  }

  #listen({ set, id, attrs }) {
    const dispatcher = this.#dispatcher;
    const there = () => dispatcher.find(set, id);
    const bridge = {
      heartbeat: (event) => dispatcher.report(there(), inCalls(parseHeartbeatJson(event).report, legsOf(id, attrs))),
      isHere(callId) {
        const lease = dispatcher.callOf(callId);
        return lease !== null && dispatcher.destinationOf(lease) === there();
      },
      confirm: (callId) => dispatcher.confirmCall(callId),
      end: (callId) => dispatcher.endCall(callId),
    };
    const log = this.#log.child({ bridge: id, set });
    return listen({ bridge, log, password: this.#password, ...addressOf(id, attrs[ATTRIBUTE]) });
  }
}

/** Another name is another connection. */
const nameOf = ({ set, id, attrs }) => JSON.stringify([set, id, attrs[ATTRIBUTE], attrs[LEGS]]);

/** FreeSWITCH counts sessions, and a call that it bridges to another leg is two. */
function inCalls(report, legs) {
  const calls = (sessions) => (sessions === undefined ? undefined : Math.ceil(sessions / legs));
  return { ...report, activeCalls: calls(report.activeCalls), capacity: calls(report.capacity) };
}

function legsOf(id, attrs) {
  const text = attrs[LEGS] ?? '1';
  if (!/^[1-9]$/.test(text)) {
    throw refused(id, `${LEGS} is 1 to 9, not ${JSON.stringify(text)}`);
  }
  return Number(text);
}

function addressOf(id, text) {
  const { host, port } = /^(?<host>\[[0-9a-f:.]+\]|[^:[\]]+):(?<port>\d{1,5})$/i.exec(text)?.groups ?? {};
  if (!host || Number(port) < 1 || Number(port) > 65_535) {
    throw refused(id, `${ATTRIBUTE} is HOST:PORT, not ${JSON.stringify(text)}`);
  }
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

const refused = (id, what) => new Refusal(422, 'invalid_destination', `destination ${JSON.stringify(id)}: ${what}`);
