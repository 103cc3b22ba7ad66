// Refusals as `application/problem+json` (RFC 9457): which status an error has, and what it says.

import { STATUS_CODES } from 'node:http';

import { CallsteerError } from 'callsteer';

import { Refusal } from '../refusal.js';

/** Answers a request with what went wrong. */
export function refuse(reply, error, log) {
  const { status, code, detail, headers = {}, sip } = problemOf(error);
  if (status === 500) {
    log.error(error);
  }
  const problem = { type: 'about:blank', title: STATUS_CODES[status], status, detail, code, ...(sip && { sip }) };
  return reply.code(status).headers(headers).header('content-type', 'application/problem+json').serializer(JSON.stringify).send(problem);
}

function problemOf(error) {
  if (error instanceof Refusal) {
    const { status, code, message, headers } = error;
    return { status, code, detail: message, headers };
  }
  if (error instanceof CallsteerError) {
    return ofTheLibrary(error);
  }
  if (error.code === 'no_engine') {
    return { status: 503, code: error.code, detail: error.message, headers: { 'retry-after': '1' } };
  }
  if (Object.hasOwn(OF_FASTIFY, error.code)) {
    const [status, code] = OF_FASTIFY[error.code];
    return { status, code, detail: error.message };
  }
  return { status: 500, code: 'internal', detail: 'the control plane has a bug: please report it, with its log' };
}

/** What refuses a call says what to answer its caller. */
function ofTheLibrary({ code, message, status, retryAfterSeconds }) {
  const sip = status === undefined ? undefined : { status, retry_after: retryAfterSeconds ?? null };
  const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  return { status: STATUSES[code] ?? 422, code, detail: message, headers, sip };
}

/** Of the library's codes; every other one is a value that cannot be: 422. */
const STATUSES = {
  no_such_call: 404,
  no_such_destination: 404,
  no_such_set: 404,
  late_report: 409,
  duplicate_report: 409,
  tenant_full: 429,
  too_fast: 429,
  full: 503,
  all_down: 503,
};

const OF_FASTIFY = {
  FST_ERR_BAD_URL: [422, 'invalid_request'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [422, 'invalid_request'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, 'unsupported_media_type'],
};
