// A small FreeSWITCH event socket for tests: speaks the protocol of mod_event_socket as far as a
// listener sees it, and cuts what it sends into small pieces, as a network may.

import { EventEmitter, once } from 'node:events';
import net from 'node:net';

/** Emits `subscribed` with the names of a client's events, and `gone` when a client left. */
export class FakeEventSocket extends EventEmitter {
  #server = net.createServer((socket) => this.#serve(socket));
  #clients = new Set();
  /** What a client wrote, command by command. */
  commands = [];
  password;
  #port = 0;

  constructor(password) {
    super();
    this.password = password;
  }

  /** Listens, after `stop` on the same port again. */
  async start() {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = this.#server.address().port;
    return this.#port;
  }

  async stop() {
    for (const client of this.#clients) {
      client.destroy();
    }
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** Sends an event to everybody who subscribed to its name. */
  event(fields) {
    const body = JSON.stringify(fields);
    for (const client of this.#clients) {
      if (client.events?.includes(fields['Event-Name'])) {
        send(client, `Content-Length: ${Buffer.byteLength(body)}\nContent-Type: text/event-json\n\n${body}`);
      }
    }
  }

  /** Sends bytes as they are. */
  raw(text) {
    this.#clients.forEach((client) => send(client, text));
  }

  /** What FreeSWITCH sends when it goes down. */
  disconnect() {
    const notice = 'Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n';
    this.raw(`Content-Type: text/disconnect-notice\nContent-Length: ${notice.length}\n\n${notice}`);
    this.#clients.forEach((client) => client.end());
  }

  #serve(socket) {
    this.#clients.add(socket);
    socket.on('close', () => {
      this.#clients.delete(socket);
      this.emit('gone');
    });
    socket.on('error', () => {});
    socket.setNoDelay(true);
    let left = '';
    send(socket, 'Content-Type: auth/request\n\n');
    socket.on('data', (bytes) => {
      left += bytes;
      for (let end = left.indexOf('\n\n'); end >= 0; end = left.indexOf('\n\n')) {
        this.#command(socket, left.slice(0, end));
        left = left.slice(end + 2);
      }
    });
  }

  #command(socket, command) {
    this.commands.push(command);
    const [verb, ...words] = command.split(' ');
    if (verb === 'auth') {
      socket.isIn = words.join(' ') === this.password;
      reply(socket, socket.isIn ? '+OK accepted' : '-ERR invalid');
      if (!socket.isIn) {
        send(socket, 'Content-Type: text/disconnect-notice\nContent-Length: 0\n\n');
        socket.end();
      }
    } else if (verb === 'event' && words[0] === 'json' && socket.isIn) {
      socket.events = words.slice(1);
      reply(socket, '+OK event listener enabled json');
      this.emit('subscribed', socket.events);
    } else {
      reply(socket, '-ERR command not found');
    }
  }
}

const reply = (socket, text) => send(socket, `Content-Type: command/reply\nReply-Text: ${text}\n\n`);

function send(socket, text) {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += PIECE) {
    socket.write(bytes.subarray(at, at + PIECE));
  }
}

/** A prime: no frame ends where a piece does. */
const PIECE = 37;
