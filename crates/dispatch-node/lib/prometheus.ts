/** A collector for `prom-client`. */

import { Counter, Gauge, type Registry, register } from 'prom-client';

import type { Dispatcher } from './dispatcher';
import { native } from './native';

/**
 * Registers all metrics of a dispatcher; they are read at every scrape. One dispatcher per registry.
 *
 * @example
 * ```js
 * registerMetrics(dispatcher);
 * app.get('/metrics', async (_, reply) => reply.type(register.contentType).send(await register.metrics()));
 * ```
 *
 * @returns takes them out of the registry again
 */
export function registerMetrics(dispatcher: Dispatcher, registry: Registry = register): () => void {
  let scrape: ReadonlyMap<string, readonly Sample[]> | undefined;
  const samples = (name: string): readonly Sample[] => {
    if (scrape === undefined) {
      scrape = parse(dispatcher.metrics());
      // A registry asks all its metrics before it goes on.
      queueMicrotask(() => (scrape = undefined));
    }
    return scrape.get(name) ?? [];
  };
  const table = native.metricTable();
  for (const { name, help, kind, labels } of table) {
    const metric = { name, help, labelNames: labels, registers: [registry] };
    if (kind === 'counter') {
      new Counter({
        ...metric,
        collect() {
          this.reset();
          samples(name).forEach(({ labels, value }) => this.inc(labels, value));
        },
      });
    } else {
      new Gauge({
        ...metric,
        collect() {
          this.reset();
          samples(name).forEach(({ labels, value }) => this.set(labels, value));
        },
      });
    }
  }
  return () => table.forEach(({ name }) => registry.removeSingleMetric(name));
}

interface Sample {
  readonly labels: Record<string, string>;
  readonly value: number;
}

/** The samples of the library's own text, by the name of their metric. */
function parse(text: string): Map<string, Sample[]> {
  const metrics = new Map<string, Sample[]>();
  for (const line of text.split('\n')) {
    const sample = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (sample !== null) {
      const [, name, labels, value] = sample as unknown as [string, string, string | undefined, string];
      const samples = metrics.get(name) ?? [];
      samples.push({ labels: parseLabels(labels ?? ''), value: Number(value) });
      metrics.set(name, samples);
    }
  }
  return metrics;
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [, name, value] of text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
    labels[name!] = value!.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));
  }
  return labels;
}
