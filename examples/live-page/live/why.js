// Why a call went where it went, in a sentence, from the rows of an explanation.

import { algorithm, amount, words } from './format.js';

/** What a key means, for algorithms whose rows have one; candidates are compared by it, the least first. */
const KEYS = {
  call_load: 'load per weight after the call',
  load_score: 'estimated load per weight after the call',
  power_of_two: 'load per weight after the call',
  round_robin: 'seats before its turn',
  weighted: 'slots before its turn',
  call_id_hash: 'attempt at which the Call-ID asks it',
  priority: 'priority, negated',
};

export const meaningOfKey = (name) => KEYS[algorithm(name)] ?? 'key';

/** `chosen` is where the call went; rows are as they were just before. */
export function why({ destination: chosen, rows }) {
  if (!rows.length) {
    return 'Not explained: calls came too fast for that.';
  }
  const row = rows.find((row) => isIt(row.destination, chosen));
  if (!row) {
    return 'It had moved on before anybody asked why.';
  }
  const peers = rows.filter((other) => other.route === row.route);
  const candidates = peers.filter((other) => other.standing === 'candidate');
  return [choice(row, candidates), passedOver(peers), earlierRoutes(rows, row.route)].filter(Boolean).join(' ');
}

export const isIt = (one, other) => one.id === other.id && one.set === other.set;

function choice(row, candidates) {
  const name = algorithm(row.algorithm);
  if (candidates.length === 1) {
    return `${name}: the only candidate.`;
  }
  const others = candidates.filter((other) => other !== row && other.key !== null).map((other) => other.key);
  if (row.key === null || !others.length) {
    return `${name}: one of ${candidates.length} candidates.`;
  }
  const next = Math.min(...others);
  const compared = row.key < next ? `${amount(row.key)}, ${amount(next)} or more elsewhere` : `${amount(row.key)}, as elsewhere`;
  return `${name}: ${meaningOfKey(name)} is ${compared} (${candidates.length} candidates).`;
}

function passedOver(peers) {
  const out = peers.filter((row) => row.standing !== 'candidate');
  const named = out.map((row) => `${row.destination.id} (${words(row.standing)})`);
  return named.length ? `Not asked: ${list(named)}.` : '';
}

function earlierRoutes(rows, route) {
  return rows.some((row) => row.route < route) ? 'Routes before had no candidate.' : '';
}

function list(names) {
  const most = 4;
  return names.length > most ? `${names.slice(0, most).join(', ')} and ${names.length - most} more` : names.join(', ');
}
