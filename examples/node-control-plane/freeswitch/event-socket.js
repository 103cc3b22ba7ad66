// A client of FreeSWITCH's event socket (mod_event_socket, inbound mode): logs in, subscribes, gives
// every event, and comes back after a connection that was lost.
//
// Own code, because no library of npm fits: modesl rests on packages of 2017, drachtio-modesl is under
// the MPL, and esl-lite, which is kept up well, states no licence and does not say that a password was
// wrong. Of the protocol only this much is needed.

import { EventEmitter } from 'node:events';
import net from 'node:net';

import { Frames } from './frames.js';

/**
 * Emits `event` with an event's text and its fields, `up` when it is subscribed, and `down` with an
 * Error that says why there is no connection. It tries again after 0.5 s, then after twice as long each
 * time, at most 30 s, up to a half of it drawn, so that not everybody comes at once.
 */
export class EventSocket extends EventEmitter {
  #options;
  #socket;
  #timer;
  #failures = 0;
  #stopped = false;

  /** `events`: names, as in `CHANNEL_ANSWER`; `silence`: after so many ms without a word it is lost. */
  constructor({ host, port, password, events, silence = SILENCE, pauses = PAUSES }) {
    super();
    if (/[\r\n]/.test(password)) {
      throw new Error('a password of the event socket has no line breaks');
    }
    this.#options = { host, port, password, events, silence, pauses };
  }

  start() {
    const { host, port, silence } = this.#options;
    const frames = new Frames();
    const socket = net.connect({ host, port, keepAlive: true });
    this.#socket = socket;
    let why;
    const lose = (error) => {
      why ??= error;
      socket.destroy();
    };
    socket.setTimeout(silence, () => lose(new Error(`said nothing for ${silence / 1000} s`)));
    socket.on('error', lose);
    socket.on('data', (bytes) => {
      try {
        for (const frame of frames.take(bytes)) {
          this.#take(frame, socket);
        }
      } catch (error) {
        lose(error);
      }
    });
    socket.on('close', () => {
      if (!this.#stopped) {
        this.#retry(why ?? new Error('the connection was closed'));
      }
    });
  }

  /** Ends the connection and tries no more. */
  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#socket?.destroy();
  }

  #take({ headers, body }, socket) {
    const type = headers.get('content-type');
    switch (type) {
      case 'auth/request':
        socket.write(`auth ${this.#options.password}\n\n`);
        return;
      case 'command/reply':
        this.#reply(headers.get('reply-text') ?? '', socket);
        return;
      case 'text/event-json':
        this.emit('event', body, fieldsOf(body));
        return;
      case 'text/rude-rejection':
        throw new Error('refused by its access list (apply-inbound-acl)');
      case 'text/disconnect-notice':
        throw new Error('it closes the connection');
      default: // Answers to commands of others, log lines: nobody here asked for them.
    }
  }

  /** The first reply is that to `auth`, the second one that to `event`. */
  #reply(text, socket) {
    if (text.startsWith('-ERR')) {
      throw new Error(`refused: ${text.slice('-ERR'.length).trim()}`);
    }
    if (text.startsWith('+OK accepted')) {
      socket.write(`event json ${this.#options.events.join(' ')}\n\n`);
    } else if (text.startsWith('+OK event listener enabled')) {
      this.#failures = 0;
      this.emit('up');
    }
  }

  #retry(error) {
    const { first, longest } = this.#options.pauses;
    const pause = Math.min(first * 2 ** this.#failures, longest);
    this.#failures += 1;
    this.#timer = setTimeout(() => this.start(), pause * (0.5 + Math.random() / 2));
    this.emit('down', error);
  }
}

function fieldsOf(body) {
  let fields;
  try {
    fields = JSON.parse(body);
  } catch (error) {
    throw new Error(`an event is not JSON: ${error.message}`);
  }
  if (typeof fields?.['Event-Name'] !== 'string') {
    throw new Error('an event has no Event-Name');
  }
  return fields;
}

/** FreeSWITCH sends a HEARTBEAT every 20 s: three were missed. */
const SILENCE = 65_000;
const PAUSES = { first: 500, longest: 30_000 };
