/** What goes into a dispatcher and what comes out. Times and durations are milliseconds. */

export type * from './config';
export type * from './call';
export type * from './report';
export type * from './status';
export type * from './event';
