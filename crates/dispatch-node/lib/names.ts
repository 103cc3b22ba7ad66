/** Names and units: JavaScript's are camelCase and milliseconds, the core's snake_case and seconds. */

import { outOfRange, wrongType } from './errors';

/** @internal An object as the core reads it. What is undefined is left out, so that it has its default. */
export function toCore(value: unknown, path: string): unknown {
  if (Array.isArray(value)) {
    return value.map((item, index) => toCore(item, `${path}[${index}]`));
  }
  if (typeof value === 'object' && value !== null) {
    const fields: Record<string, unknown> = {};
    for (const [name, field] of Object.entries(value)) {
      if (field !== undefined) {
        fields[coreName(name, path)] = fieldToCore(name, field, `${path}.${name}`);
      }
    }
    return fields;
  }
  if (typeof value === 'symbol' || typeof value === 'function' || typeof value === 'bigint') {
    throw wrongType(`${path} cannot be a ${typeof value}`);
  }
  return value;
}

/** @internal An object of the core as JavaScript reads it. */
export function fromCore(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(fromCore);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const fields = Object.entries(value).map(([name, field]): [string, unknown] => {
    const camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    if (DURATIONS.has(camel) && typeof field === 'number') {
      return [camel, Math.round(field * 1e6) / 1e3];
    }
    return [camel, KEYED.has(camel) ? mapValues(field as object, fromCore) : fromCore(field)];
  });
  return Object.fromEntries(fields);
}

function fieldToCore(name: string, field: unknown, path: string): unknown {
  if (DURATIONS.has(name) && typeof field === 'number') {
    return finite(field, path) / 1e3;
  }
  if (KEYED.has(name) && typeof field === 'object' && field !== null) {
    return mapValues(field, (value, key) => toCore(value, `${path}.${key}`));
  }
  if (BIG.has(name) && (typeof field === 'bigint' || (Number.isSafeInteger(field) && (field as number) >= 2 ** 32))) {
    // As a number it would come as a float.
    return BigInt(field as number | bigint);
  }
  return toCore(field, path);
}

function coreName(name: string, path: string): string {
  if (name.includes('_')) {
    // A file for the core, whose durations are seconds, would be misunderstood.
    throw wrongType(`${path}.${name}: names are in camelCase here, and times in milliseconds`);
  }
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function finite(value: number, path: string): number {
  if (!Number.isFinite(value)) {
    throw outOfRange(`${path} is a number of milliseconds, not ${value}`);
  }
  return value;
}

function mapValues(object: object, change: (value: unknown, key: string) => unknown): object {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value, key)]));
}

/** Fields that are times or durations. */
const DURATIONS: ReadonlySet<string> = new Set([
  'baseTime',
  'hold',
  'holdDown',
  'interval',
  'leadTime',
  'lostAfter',
  'maxDuration',
  'maxRetryAfter',
  'maxTime',
  'measuredAt',
  'retryAfter',
  'setupTimeout',
  'timeout',
  'warmUp',
  'window',
]);

/** Fields that may be above 2^32, or even 2^53. */
const BIG: ReadonlySet<string> = new Set(['epoch', 'hashKey', 'seed']);

/** Fields whose keys are the user's own words. */
const KEYED: ReadonlySet<string> = new Set(['attrs', 'policies', 'tenants']);
