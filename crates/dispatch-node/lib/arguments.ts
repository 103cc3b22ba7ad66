/** Arguments: what is none is refused, before anything is asked of the native part. */

import { inspect } from 'node:util';

import { outOfRange, wrongType } from './errors';

/** @internal A lease or, for a bad one, an error that names it. */
export function lease(value: number): number {
  return Number.isSafeInteger(value) && value > 0 ? value : refuse(value, 'lease', 'a whole number from 1 to 2^53 - 1');
}

/** @internal A point in time. */
export function time(value: number): number {
  return typeof value === 'number' ? value : refuse(value, 'now', 'a number of milliseconds');
}

/** @internal A whole number of 32 bits. */
export function whole(value: number, name: string): number {
  return typeof value === 'number' && value >>> 0 === value ? value : refuse(value, name, 'a whole number of 32 bits');
}

/** @internal A duration, if there is one. */
export function duration(value: number | undefined, name: string): number | undefined {
  return value === undefined || (typeof value === 'number' && value >= 0 && value < Infinity)
    ? value
    : refuse(value, name, 'a number of milliseconds from 0 on');
}

/** @internal A number. */
export function number(value: number, name: string): number {
  return typeof value === 'number' ? value : refuse(value, name, 'a number');
}

/** @internal Yes or no. */
export function flag(value: boolean, name: string): boolean {
  return typeof value === 'boolean' ? value : refuse(value, name, 'true or false');
}

/** @internal A string. */
export function text(value: string, name: string): string {
  return typeof value === 'string' ? value : refuse(value, name, 'a string');
}

/** @internal The bytes of a string in UTF-8, or those given. */
export function bytes(value: string | Uint8Array, name: string): Uint8Array {
  if (typeof value === 'string') {
    return Buffer.from(value);
  }
  return value instanceof Uint8Array ? value : refuse(value, name, 'a string or a Uint8Array');
}

/** @internal What an iterable gives. Anything else would pass for an empty one. */
export function items<T>(value: Iterable<T>, name: string): T[] {
  return typeof value === 'object' && value !== null && Symbol.iterator in value
    ? Array.from(value)
    : refuse(value, name, 'an iterable object');
}

/** @internal An object. */
export function object<T extends object>(value: T, name: string): T {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? value
    : refuse(value, name, 'an object');
}

function refuse(value: unknown, name: string, wanted: string): never {
  const message = `${name} is ${wanted}, not ${inspect(value, { depth: 0 })}`;
  throw typeof value === 'number' ? outOfRange(message) : wrongType(message);
}
