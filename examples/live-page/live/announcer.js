// Tells a screen reader what changed: how bridges stand, and that one is empty. Counts are no news.

import { words } from './format.js';
import { nameOf } from './rates.js';

export class Announcer {
  #region;
  #before = new Map();

  constructor(region) {
    this.#region = region;
  }

  say(text) {
    this.#region.textContent = text;
  }

  compare(bridges) {
    const news = this.#before.size ? bridges.flatMap((bridge) => this.#changes(bridge)) : [];
    this.#before = new Map(bridges.map((bridge) => [nameOf(bridge), bridge]));
    if (news.length) {
      this.say(news.join(' '));
    }
  }

  #changes(bridge) {
    const before = this.#before.get(nameOf(bridge));
    if (!before) {
      return [`${bridge.id} joined.`];
    }
    const isTaking = ({ standing }) => standing === 'candidate';
    const stands = isTaking(bridge) ? 'takes calls' : `takes no calls: ${words(bridge.standing)}`;
    const moved = before.standing !== bridge.standing ? [`${bridge.id} ${stands}.`] : [];
    const isEmptied = !isTaking(bridge) && before.calls > 0 && bridge.calls === 0;
    return isEmptied ? [...moved, `${bridge.id} has no calls left.`] : moved;
  }
}
