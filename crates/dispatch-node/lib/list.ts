/** dispatcher.list: the text file in which Kamailio keeps its destinations. */

import { bytes, object, text, whole } from './arguments';
import type { ListCode } from './errors';
import { toCore } from './names';
import { type NativeList, native } from './native';
import type { Description } from './types';

/** A line of a list that is a destination. */
export interface Entry {
  /** Which line it is, from 1. */
  readonly line: number;
  /** The set that the destination belongs to. */
  readonly set: number;
  /** What the line says. */
  readonly destination: Required<Description>;
  /** The line as it stands in the file, without its end. */
  readonly text: string;
}

/** A line that was left out, and why. */
export interface Skipped {
  /** The line, from 1. */
  readonly line: number;
  /** The character of the line, from 1. */
  readonly column: number;
  /** What is wrong. */
  readonly code: ListCode;
  /** What is wrong, with the value. */
  readonly message: string;
}

/** Something that a list may not mean. */
export interface Lint {
  /** The line, from 1. */
  readonly line: number;
  /** The character of the line, from 1. */
  readonly column: number;
  /** Its name: `weight_in_uri`, say. */
  readonly code: string;
  /** An error does not do here what it looks like; a warning is surprising, or works otherwise in Kamailio. */
  readonly severity: 'warning' | 'error';
  /** What it is. */
  readonly message: string;
  /** What to write instead. */
  readonly fix: string;
}

/**
 * A dispatcher.list with every line of it, comments included.
 *
 * @example
 * ```js
 * const list = new List(fs.readFileSync('dispatcher.list'));
 * for (const { line, message } of list.lint()) console.warn(`line ${line}: ${message}`);
 * dispatcher.apply(dispatcher.plan(list));
 * ```
 */
export class List {
  readonly #native: NativeList;

  /**
   * Reads a list; an empty one, if there is no file. A lenient one leaves out the lines that cannot be
   * read, and {@link List.skipped} says why.
   *
   * @throws CallsteerError The first line that cannot be read, with `line` and `column`.
   */
  constructor(file: string | Uint8Array = '', options: { lenient?: boolean } = {}) {
    this.#native = new native.NativeList(bytes(file, 'file'), object(options, 'options').lenient === true);
  }

  /**
   * Adds a destination as a last line.
   *
   * @throws CallsteerError `duplicate`, `invalid_destination`: a value cannot be written so that it is read
   * back as it is.
   */
  push(set: number, description: Description): void {
    this.#native.push(whole(set, 'set'), toCore(object(description, 'destination'), 'destination') as object);
  }

  /**
   * Gives the destination with this id a new description; its line keeps its comment.
   *
   * @throws CallsteerError `no_such_destination`, `invalid_destination`
   */
  update(set: number, description: Description): void {
    this.#native.update(whole(set, 'set'), toCore(object(description, 'destination'), 'destination') as object);
  }

  /** Takes out the line of a destination; `false` where there is none. */
  remove(set: number, id: string): boolean {
    return this.#native.remove(whole(set, 'set'), text(id, 'id'));
  }

  /** The lines that are destinations, in the order of the file. */
  entries(): Entry[] {
    return this.#native.entries() as Entry[];
  }

  /** What `dispatcher.plan` takes: sets and descriptions. */
  destinations(): [set: number, description: Required<Description>][] {
    return this.entries().map(({ set, destination }) => [set, destination]);
  }

  /** The lines that a lenient list left out. */
  skipped(): Skipped[] {
    return this.#native.skipped() as Skipped[];
  }

  /** Everything in the list that its owner may not mean. */
  lint(): Lint[] {
    return this.#native.lint() as Lint[];
  }

  /** The file as it was read, byte for byte, with the changes made since. */
  write(): Uint8Array {
    return this.#native.write();
  }

  /** The file as text. */
  toString(): string {
    return Buffer.from(this.write()).toString();
  }
}
