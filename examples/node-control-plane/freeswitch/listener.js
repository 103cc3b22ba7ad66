// What a FreeSWITCH says of itself and of its calls, as reports and as ends of calls.

import { EventSocket } from './event-socket.js';

/** Calls that the dispatcher placed there are known by the Call-ID of the SIP leg that came in. */
const CALL_ID = 'variable_sip_call_id';
const EVENTS = ['HEARTBEAT', 'CHANNEL_ANSWER', 'CHANNEL_HANGUP', 'CHANNEL_HANGUP_COMPLETE'];

/**
 * Listens to one FreeSWITCH. `bridge` is what it speaks to: `heartbeat(event)`, `isHere(callId)`,
 * `confirm(callId)`, `end(callId)`. Gives the socket, which is started; `stop()` ends it.
 *
 * - HEARTBEAT is a report of load.
 * - CHANNEL_ANSWER confirms a call.
 * - CHANNEL_HANGUP ends a call that had been answered, or whose caller gave up. Any other one was
 *   refused: whoever sent it there says `fail`, and may send it elsewhere under the same Call-ID.
 * - A call that is elsewhere by now is left alone.
 *
 * Calls that end while there is no connection end by their deadline.
 */
export function listen({ bridge, log, ...options }) {
  const socket = new EventSocket({ ...options, events: EVENTS });
  socket.on('up', () => log.info('event socket: listening'));
  socket.on('down', (error) => log.warn(`event socket: ${error.message}`));
  socket.on('event', (text, fields) => {
    try {
      take(bridge, text, fields);
    } catch (error) {
      log.warn(`event socket: ${fields['Event-Name']}: ${error.message}`);
    }
  });
  socket.start();
  return socket;
}

function take(bridge, text, fields) {
  if (fields['Event-Name'] === 'HEARTBEAT') {
    bridge.heartbeat(text);
    return;
  }
  const callId = fields[CALL_ID];
  if (!callId || !bridge.isHere(callId)) {
    return;
  }
  if (fields['Event-Name'] === 'CHANNEL_ANSWER') {
    bridge.confirm(callId);
  } else if (wasAnswered(fields) || fields['Hangup-Cause'] === 'ORIGINATOR_CANCEL') {
    bridge.end(callId);
  }
}

/** The time of the answer in microseconds, 0 where there was none. */
const wasAnswered = (fields) => Number(fields['Caller-Channel-Answered-Time'] ?? 0) > 0;
