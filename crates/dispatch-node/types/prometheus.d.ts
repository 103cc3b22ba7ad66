/** A collector for `prom-client`. */
import { type Registry } from 'prom-client';
import type { Dispatcher } from './dispatcher';
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
export declare function registerMetrics(dispatcher: Dispatcher, registry?: Registry): () => void;
