// The names and units of vectors (snake_case, seconds) and those of Node (camelCase, milliseconds).
'use strict';

/** Times and durations, by their names in Node. */
const TIMES = new Set([
  'age',
  'at',
  'baseTime',
  'busyUntil',
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
  'until',
  'warmUp',
  'window',
]);
/** Objects whose keys are words of the user. */
const USERS = new Set(['attrs', 'metrics', 'policies', 'tenants']);

const ms = (seconds) => Math.round(seconds * 1e6) / 1e3;
const seconds = (millis) => (millis === null ? null : Math.round(millis * 1e3) / 1e6);
const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function convert(value, rename, scale, keyed = false) {
  if (Array.isArray(value)) return value.map((item) => convert(item, rename, scale));
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([key, field]) => {
    const isTime = !keyed && TIMES.has(camel(key)) && typeof field === 'number';
    return [keyed ? key : rename(key), isTime ? scale(field) : convert(field, rename, scale, USERS.has(key))];
  });
  return Object.fromEntries(fields);
}

module.exports = {
  camel,
  ms,
  seconds,
  toNode: (value) => convert(value, camel, ms),
  fromNode: (value) => convert(value, snake, seconds),
};
