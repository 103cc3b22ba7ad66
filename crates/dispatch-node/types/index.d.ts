/**
 * Chooses the bridge that takes the next call, and keeps track of the call until it ends.
 *
 * Times and durations are milliseconds.
 *
 * @packageDocumentation
 */
export { ActiveCall } from './active-call';
export { algorithmFromKamailio } from './kamailio';
export { parseConfig } from './config';
export { Destination } from './destination';
export { Dispatcher, type DispatcherOptions } from './dispatcher';
export * as erlang from './erlang';
export { CallsteerError, CODES, LIST_CODES, type Code, type ErrorDetails, type ListCode } from './errors';
export { List, type Entry, type Lint, type Skipped } from './list';
export { Plan } from './plan';
export { parseAgentCheck, parseHeartbeat, parseHeartbeatJson, parseOrca, parseOrcaBin, parseReport, score, type AgentCheck, type Heartbeat, type Orca, type Resources, } from './reports';
export type * from './types';
export type { Listener, Subject } from './watch';
