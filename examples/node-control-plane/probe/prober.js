// Asks bridges whether they live, when the dispatcher wants it, and tells it what came back.

import { Refusal } from '../refusal.js';
import { httpGet } from './http-get.js';
import { sipOptions } from './sip-options.js';
import { target } from './sip-uri.js';

export class Prober {
  #dispatcher;
  #log;
  /** What is under way, by set and id. */
  #underWay = new Map();
  #begin = (destination) => void this.#probe(destination);

  constructor(dispatcher, log) {
    this.#dispatcher = dispatcher;
    this.#log = log;
  }

  start() {
    this.#dispatcher.on('probe', this.#begin);
  }

  stop() {
    this.#dispatcher.off('probe', this.#begin);
    this.#underWay.forEach((abort) => abort.abort());
  }

  async #probe(destination) {
    const name = JSON.stringify([destination.set, destination.id]);
    // A probe that is still under way is over: the dispatcher gave up on it before it wanted another one.
    this.#underWay.get(name)?.abort();
    const abort = new AbortController();
    this.#underWay.set(name, abort);
    const result = await this.#ask(destination, abort.signal);
    if (!abort.signal.aborted) {
      this.#underWay.delete(name);
      this.#tell(destination, result);
    }
  }

  async #ask(destination, signal) {
    try {
      const { reply, retryAfter } = await ask(probeTarget(destination), signal);
      return { reply, retryAfter: retryAfter === undefined ? undefined : retryAfter * 1000 };
    } catch (error) {
      const { set, id: bridge } = destination;
      this.#log.info({ bridge, set }, `the probe brought nothing: ${error.cause?.message ?? error.message}`);
      return 'timeout';
    }
  }

  #tell(destination, result) {
    try {
      this.#dispatcher.probeResult(destination, result);
    } catch (error) {
      // It may have left meanwhile.
      if (error.code !== 'no_such_destination') {
        throw error;
      }
    }
  }
}

/** Throws where a bridge wants to be probed and cannot be. */
export function checkProbeable(destination) {
  if (destination.probing === 'never') {
    return;
  }
  const whom = probeTarget(destination);
  try {
    if (isHttp(whom)) {
      new URL(whom);
    } else {
      target(whom);
    }
  } catch (error) {
    const detail = `destination ${JSON.stringify(destination.id)}: ${error.message}; flag 32 keeps it from being probed`;
    throw new Refusal(422, 'invalid_destination', detail);
  }
}

/** Whom to ask: the attribute `probe`, a URL or a SIP URI; without it the bridge itself. */
const probeTarget = ({ attrs, uri }) => attrs.probe ?? uri;
const isHttp = (whom) => /^https?:/i.test(whom);
const ask = (whom, signal) => (isHttp(whom) ? httpGet(whom, { signal }) : sipOptions(whom, { signal }));
