// The file of a control plane's state: a snapshot of its dispatcher and a journal since then, in SQLite.

import { createRequire } from 'node:module';

/** A state that cannot be used; says what is wrong with it and how to go on. */
export class StateError extends Error {}

/** The file, which one process has at a time. Throws a StateError. */
export class Store {
  #file;
  #path;
  #sync;
  #append;
  #first = 1;
  #next = 1;
  /** Operations since the snapshot. */
  length = 0;

  /** `sync` is when what was written must have reached the disk: 'always', 'second', 'never'. */
  constructor(path, sync = 'second') {
    this.#path = path;
    this.#sync = sync;
    this.#guarded(() => this.#open());
  }

  get path() {
    return this.#path;
  }

  /** The snapshot with what belongs to it; undefined in a new file. */
  load() {
    const saved = this.#guarded(() => this.#file.prepare('SELECT * FROM snapshot').get());
    if (saved === undefined && this.length > 0) {
      throw this.#damaged('there is a journal, and no snapshot that it follows');
    }
    this.#first = saved?.next ?? 1;
    return saved;
  }

  /** What was done since the snapshot, the first first: `at`, `name`, `given`. */
  *operations() {
    const rows = this.#guarded(() => this.#file.prepare('SELECT * FROM operation ORDER BY number').all());
    for (const [index, { number, at, name, arguments: text }] of rows.entries()) {
      if (number !== this.#first + index) {
        throw this.#damaged(`operation ${this.#first + index} is missing`);
      }
      yield { at, name, given: this.#guarded(() => JSON.parse(text)) };
    }
  }

  /** Writes down what is about to be done. Where it throws, nothing must be done. */
  append(at, name, given) {
    this.#guarded(() => this.#append.run(this.#next, at, name, JSON.stringify(given)));
    this.#next += 1;
    this.length += 1;
  }

  /** A snapshot that covers everything before it, which goes. */
  replace({ data, at, version, config, bridges }) {
    const insert = this.#file.prepare('INSERT OR REPLACE INTO snapshot VALUES (1, ?, ?, ?, ?, ?, ?)');
    const replace = this.#file.transaction(() => {
      insert.run(data, at, version, config, bridges, this.#next);
      this.#file.exec('DELETE FROM operation');
    });
    this.#guarded(() => replace.immediate());
    this.length = 0;
  }

  /** Takes what was written to the disk, where that is done every second. */
  sync() {
    if (this.#sync === 'second') {
      try {
        this.#file.pragma('wal_checkpoint(PASSIVE)');
      } catch {
        // Whoever writes next is told.
      }
    }
  }

  close() {
    this.#file.close();
  }

  /** That something in it cannot be. */
  damaged(error) {
    return this.#damaged(error.message);
  }

  #open() {
    const file = new (database())(this.#path, { timeout: 0 });
    this.#file = file;
    file.pragma('locking_mode = EXCLUSIVE');
    file.pragma('journal_mode = WAL');
    file.pragma(`synchronous = ${SYNCHRONOUS[this.#sync]}`);
    const value = (name) => file.pragma(name, { simple: true });
    const found = file
      .transaction(() => {
        const isNew = file.prepare('SELECT count(*) AS tables FROM sqlite_schema').get().tables === 0;
        if (isNew) {
          file.pragma(`application_id = ${KIND}`);
          file.pragma(`user_version = ${VERSION}`);
          file.exec(TABLES);
        }
        return { kind: value('application_id'), version: value('user_version') };
      })
      .immediate();
    if (found.kind !== KIND) {
      throw new StateError(`${this.#path} is a database of something else: name another file`);
    }
    if (found.version !== VERSION) {
      throw new StateError(
        `${this.#path} has version ${found.version} of the format, and ${VERSION} is read here: start once with ` +
          'the release that wrote it, and end it in order, or move the file away',
      );
    }
    const sound = value('quick_check(1)');
    if (sound !== 'ok') {
      throw this.#damaged(sound);
    }
    const { count, last } = file.prepare('SELECT count(*) AS count, max(number) AS last FROM operation').get();
    const { next } = file.prepare('SELECT max(next) AS next FROM snapshot').get();
    this.length = count;
    this.#next = last === null ? (next ?? 1) : last + 1;
    this.#append = file.prepare('INSERT INTO operation VALUES (?, ?, ?, ?)');
  }

  #guarded(work) {
    try {
      return work();
    } catch (error) {
      if (error instanceof StateError) {
        throw error;
      }
      const code = String(error.code);
      if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
        throw new StateError(`${this.#path} is in use by another process`);
      }
      if (['SQLITE_CANTOPEN', 'SQLITE_FULL', 'SQLITE_READONLY'].some((kind) => code.startsWith(kind))) {
        throw new StateError(`${this.#path} cannot be written: ${error.message}`);
      }
      if (error instanceof TypeError && /directory does not exist/.test(error.message)) {
        throw new StateError(`${this.#path}: ${error.message}`);
      }
      throw this.#damaged(error.message);
    }
  }

  #damaged(what) {
    return new StateError(`${this.#path} is damaged: ${what}. ${GO_ON}`);
  }
}

/** Only who wants a state needs it. */
function database() {
  try {
    return createRequire(import.meta.url)('better-sqlite3');
  } catch (error) {
    const [why] = error.message.split('\n');
    throw new StateError(`a state needs the package better-sqlite3, which is not there: ${why}`);
  }
}

export const GO_ON =
  'Move it away and start without it: then no call in progress is known, and retransmissions are placed anew, ' +
  'until the bridges are reconciled';
/** `call`, in the header of the file. */
const KIND = 0x63616c6c;
const VERSION = 1;
const SYNCHRONOUS = { always: 'FULL', second: 'NORMAL', never: 'OFF' };
const TABLES = `
  CREATE TABLE snapshot (
    one INTEGER PRIMARY KEY CHECK (one = 1), data BLOB NOT NULL, at REAL NOT NULL, version TEXT NOT NULL,
    config TEXT NOT NULL, bridges BLOB NOT NULL, next INTEGER NOT NULL
  );
  CREATE TABLE operation (
    number INTEGER PRIMARY KEY, at REAL NOT NULL, name TEXT NOT NULL, arguments TEXT NOT NULL
  );
`;
