/** Erlang B: how many calls find no room where calls arrive at random and nobody waits. */

import { number, whole } from './arguments';
import { native } from './native';

/** The share of calls (0 to 1) that finds all slots taken where so many erlangs are offered. */
export function blocking(erlangs: number, slots: number): number {
  return native.blocking(number(erlangs, 'erlangs'), whole(slots, 'slots'));
}

/** The fewest slots that block no more than the share `target` of calls; `null` where there is no such number. */
export function slotsFor(erlangs: number, target: number): number | null {
  return native.slotsFor(number(erlangs, 'erlangs'), number(target, 'target'));
}

/** The load in erlangs of which so many slots block the share `target`. */
export function erlangsFor(slots: number, target: number): number | null {
  return native.erlangsFor(whole(slots, 'slots'), number(target, 'target'));
}

/** The calls in progress per slot at which so many slots block the share `target`. */
export function highestUtilisation(slots: number, target: number): number | null {
  return native.highestUtilisation(whole(slots, 'slots'), number(target, 'target'));
}
