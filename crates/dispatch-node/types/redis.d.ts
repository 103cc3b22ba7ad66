/**
 * Several dispatchers over one fleet, through Redis or Valkey; needs `@redis/client`.
 *
 * What goes over the wire stands in docs/wire-replica.md, what it costs in docs/scaling.md.
 *
 * @packageDocumentation
 */
export { NoEngine, Replica, type Elsewhere, type ReplicaOptions } from './redis/replica';
