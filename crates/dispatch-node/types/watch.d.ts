/** Polls by itself at the next deadline, while anybody listens. */
import type { Destination } from './destination';
import type { Event } from './types';
/** What can be listened for: a kind of event, every `event`, or a `probe` to send. */
export type Subject = Event['kind'] | 'event' | 'probe';
/** What is called with an event, or with the destination to probe. */
export type Listener<S extends Subject> = (said: S extends 'probe' ? Destination : S extends 'event' ? Event : Extract<Event, {
    kind: S;
}>) => void;
