// What answers the operations of the contract, by their ids: from HTTP to the control plane and back.

import { parseAgentCheck, parseOrca, parseReport } from 'callsteer';

import { Refusal } from '../refusal.js';

const MAX_TEXT = 256;
/** The header of a report without a body. */
export const ORCA = 'endpoint-load-metrics';

export function handlers(plane) {
  const callId = ({ params }) => text('path.call_id', params.call_id);
  const bridge = ({ params, query }) => [params.bridge_id, query.set];
  /** Does it, and has nothing to say. */
  const silently = (command) => async (request, reply) => {
    await command(request);
    return reply.code(204).send();
  };

  return {
    async begin_call({ body }, reply) {
      const { answer, isRepeated } = await plane.begin(call('body', body));
      return reply.code(isRepeated ? 200 : 201).send(answer);
    },
    show_call: (request) => plane.call(callId(request)),
    confirm_call: silently((request) => plane.confirm(callId(request))),
    fail_call: (request) => plane.fail(callId(request), { reply: request.body.reply, retryAfter: request.body.retry_after }),
    end_call: silently((request) => plane.end(callId(request))),

    list_bridges: () => plane.bridges(),
    report: silently((request) => plane.report(...bridge(request), readReport(request))),
    drain_bridge: silently((request) => plane.drain(...bridge(request), request.body?.deadline ?? undefined)),
    enable_bridge: silently((request) => plane.setEnabled(...bridge(request), true)),
    disable_bridge: silently((request) => plane.setEnabled(...bridge(request), false)),
    replace_list: ({ bytes, query }) => plane.replaceList(bytes, { dryRun: query.dry_run ?? false }),

    explain: ({ query }) => plane.explain(call('query', query)),
    recent: () => plane.recent(),
    capacity: ({ query }) => plane.capacity(query.set),
    async metrics(request, reply) {
      const { type, text: metrics } = await plane.metrics();
      return reply.header('content-type', type).send(metrics);
    },
    healthz: silently(() => {}),
  };
}

/** A call as the library takes it, without what was left to it. */
function call(place, fields) {
  const given = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  for (const [name, value] of given) {
    if (typeof value === 'string') {
      text(`${place}.${name}`, value);
    }
  }
  const { call_id: callId, ...rest } = Object.fromEntries(given);
  return { callId, ...rest };
}

/** A report of load, by its form: the own JSON, the line of an agent check, or a header. */
function readReport({ headers, bytes, type }) {
  const orca = headers[ORCA];
  const hasBody = bytes.length > 0;
  if (hasBody === (orca !== undefined)) {
    const what = hasBody ? 'both, a body and' : 'neither a body nor';
    throw new Refusal(422, 'invalid_request', `the request has ${what} a header ${ORCA}`);
  }
  if (orca !== undefined) {
    return parseOrca(orca).report;
  }
  return type === 'application/json' ? parseReport(bytes) : parseAgentCheck(bytes).report;
}

/** A schema counts characters; what counts is bytes, and they must be UTF-8. */
function text(where, value) {
  if (!value.isWellFormed() || Buffer.byteLength(value) > MAX_TEXT) {
    throw new Refusal(422, 'invalid_request', `${where}: has 1 to ${MAX_TEXT} bytes of UTF-8`);
  }
  return value;
}
