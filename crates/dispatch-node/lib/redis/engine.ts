/** The engine: Redis or Valkey, its keys and its scripts. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { createClient } from '@redis/client';

/** @internal How long the engine, or another replica, has to answer. */
export const TIMEOUT = 2_000;
/** @internal The longest wait between two attempts to reach an engine that is lost. */
export const LONGEST_WAIT = 2_000;

/** @internal What is raised where the engine is not reached. */
export class Lost extends Error {}

/** @internal What is known of a call: its record as it stands there, and read. */
export interface Known {
  readonly replica: string;
  readonly epoch: number;
  readonly lease: number;
  readonly set: number;
  readonly id: string;
  readonly uri: string;
  readonly call: Record<string, unknown>;
}

/** @internal A client with the keys of one fleet, which connects again by itself. */
export class Engine {
  readonly #prefix: string;
  readonly #client;
  readonly #subscriber;
  readonly #scripts = new Map(['beat', 'claim', 'release', 'take', 'take_over'].map((name) => [name, script(name)]));

  constructor(url: string, namespace: string) {
    this.#prefix = `{${namespace}}:`;
    this.#client = createClient({ ...where(url), disableOfflineQueue: true });
    this.#subscriber = this.#client.duplicate();
    // Each attempt that fails is one: whoever asks meanwhile is told so.
    this.#client.on('error', () => {});
    this.#subscriber.on('error', () => {});
  }

  key(...parts: readonly (string | number)[]): string {
    return this.#prefix + parts.join(':');
  }

  /** Connects, now or when it is there, and hears what is said on these channels from then on. */
  open(channels: readonly string[], hear: (channel: string, text: string) => void): void {
    const listen = (text: string, channel: string): void => hear(channel.slice(this.#prefix.length), text);
    this.#client.connect().catch(() => {});
    this.#subscriber
      .connect()
      .then(() => this.#subscriber.subscribe(channels.map((channel) => this.key(channel)), listen))
      .catch(() => {});
  }

  /** The answer to a command. Throws `Lost`. */
  async send(...command: readonly (string | number)[]): Promise<unknown> {
    return within(this.#client.sendCommand(command.map(String)));
  }

  /** All of them, in order and alone. */
  async sendAll(commands: readonly (readonly (string | number)[])[]): Promise<void> {
    await within(
      Promise.all([['MULTI'], ...commands, ['EXEC']].map((command) => this.#client.sendCommand(command.map(String)))),
    );
  }

  async run(name: string, keys: readonly string[], said: readonly (string | number)[]): Promise<unknown> {
    const { text, sha } = this.#scripts.get(name)!;
    const rest = [keys.length, ...keys, ...said];
    try {
      return await this.send('EVALSHA', sha, ...rest);
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('NOSCRIPT')) {
        return this.send('EVAL', text, ...rest);
      }
      throw error;
    }
  }

  async record(callId: string): Promise<[text: string, known: Known] | null> {
    const text = (await this.send('GET', this.key('call', callId))) as string | null;
    return text === null ? null : [text, JSON.parse(text) as Known];
  }

  /** How many heard it. */
  async publish(channel: string, said: object): Promise<number> {
    return (await this.send('PUBLISH', this.key(channel), JSON.stringify(said))) as number;
  }

  close(): void {
    this.#client.destroy();
    this.#subscriber.destroy();
  }
}

/** What a server refuses is an error of its own; whatever else goes wrong, it is not reached. */
async function within<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Lost('the engine does not answer')), TIMEOUT);
  });
  try {
    return await Promise.race([work, late]);
  } catch (error) {
    if (error instanceof Error && /^[A-Z]+ /.test(error.message) && !/^(LOADING|READONLY|MASTERDOWN) /.test(error.message)) {
      throw error;
    }
    throw new Lost(error instanceof Error ? error.message : String(error));
  } finally {
    clearTimeout(timer);
  }
}

/** `unix://` is no URL of the client. */
function where(url: string): object {
  const reconnectStrategy = (failures: number): number => Math.min(100 * 2 ** failures, LONGEST_WAIT);
  const path = /^unix:\/\/(?:([^@]*)@)?(\/[^?]*)(?:\?db=(\d+))?$/.exec(url);
  if (path === null) {
    return { url, socket: { reconnectStrategy, connectTimeout: TIMEOUT } };
  }
  const [username, password] = (path[1] ?? '').split(':').map(decodeURIComponent);
  const user = { ...(username && { username }), ...(password && { password }) };
  return { ...user, database: Number(path[3] ?? 0), socket: { path: path[2], reconnectStrategy } };
}

function script(name: string): { text: string; sha: string } {
  const text = readFileSync(join(__dirname, '../../lua', `${name}.lua`), 'utf8');
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}
