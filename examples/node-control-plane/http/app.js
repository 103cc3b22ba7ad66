// The HTTP of the control plane: every operation of the contract, and the live page.

import { METHODS } from 'node:http';

import Fastify, { LogController } from 'fastify';

import { Refusal } from '../refusal.js';
import { forget, readAll } from './body.js';
import { operations } from './contract.js';
import { authorize } from './guard.js';
import { ORCA, handlers } from './handlers.js';
import { serveLivePage } from './live-page.js';
import { refuse } from './problems.js';

/** `plane` is asked, by `contract`, the OpenAPI document; `token` may be undefined; `log` is one of pino's. */
export function createApp({ plane, contract, token, log }) {
  const refused = (error, request, reply) => refuse(reply, error, request.log);
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    // A Call-ID of 256 bytes, every one of them percent-encoded, and more: the contract counts, not the router.
    routerOptions: { maxParamLength: 16_384 },
    // Whoever sends a request more slowly keeps a connection from others.
    requestTimeout: 30_000,
    forceCloseConnections: 'idle',
    frameworkErrors: refused,
  });
  app.setErrorHandler(refused);
  let isClosing = false;
  app.addHook('preClose', async () => {
    isClosing = true;
  });
  app.addHook('onSend', async (request, reply) => {
    // A client would keep the connection, and the server would wait for it.
    if (isClosing) {
      reply.header('connection', 'close');
    }
  });
  app.setNotFoundHandler(() => {
    throw new Refusal(404, 'no_such_path', 'there is nothing at this path');
  });
  // What may be in a body is said by the contract, operation by operation.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (request, payload) => readAll(payload, request.routeOptions.config.limit ?? MAX_BODY));

  const livePage = serveLivePage(app);
  app.get('/openapi.json', (request, reply) => reply.send(contract));
  const answers = { ...handlers(plane), live_page: livePage };
  const methods = new Map();
  for (const operation of operations(contract)) {
    const answer = answers[operation.id];
    if (!answer) {
      throw new Error(`the contract has an operation that nothing answers: ${operation.id}`);
    }
    serve(app, operation, answer, { plane, token });
    methods.set(operation.url, [...(methods.get(operation.url) ?? []), operation.method]);
  }
  METHODS.filter((method) => !app.supportedMethods.includes(method)).forEach((method) => app.addHttpMethod(method));
  for (const [url, allowed] of methods) {
    refuseOtherMethods(app, url, allowed);
  }
  return app;
}

function serve(app, operation, answer, { plane, token }) {
  const { id, method, url, isSecured, types } = operation;
  /** The signature stands in for the token; it is over the body, which is read first. */
  const isSigned = ({ params }) => id === 'report' && plane.reportKeys.has(params.bridge_id);
  app.route({
    method,
    url,
    config: { limit: LARGE[id] },
    onRequest: async (request) => {
      const { raw } = request;
      try {
        if (isSecured && !isSigned(request)) {
          authorize(raw, token);
        }
      } catch (error) {
        await forget(raw);
        throw error;
      }
    },
    handler: (request, reply) => {
      const type = typeOf(request);
      const bytes = (types.length && request.body) || NOTHING;
      checkType(type, bytes, types);
      if (isSigned(request)) {
        const sent = { method, target: request.raw.url, type, orca: request.headers[ORCA], body: bytes };
        plane.reportKeys.check(request.params.bridge_id, request.headers['callsteer-signature'], sent);
      }
      const query = operation.readQuery(request.query);
      const wrong = operation.checkPath(request.params) ?? operation.checkQuery(query);
      if (wrong) {
        throw invalid(wrong);
      }
      const body = readJson(bytes, operation);
      return answer({ params: request.params, query, body, bytes, type, headers: request.headers }, reply);
    },
  });
}

/** A method that the contract does not have for this path. */
function refuseOtherMethods(app, url, allowed) {
  // Fastify adds HEAD to GET.
  const answered = allowed.includes('GET') ? [...allowed, 'HEAD'] : allowed;
  const others = app.supportedMethods.filter((method) => !answered.includes(method));
  const refuseIt = async (request) => {
    await forget(request.raw);
    const detail = `${request.method} is not among ${allowed.join(', ')}`;
    throw new Refusal(405, 'no_such_method', detail, { allow: allowed.join(', ') });
  };
  app.route({ method: others, url, onRequest: refuseIt, handler: refuseIt });
}

/** A body must be of a type that the operation reads; where it reads none, it is left alone. */
function checkType(type, bytes, types) {
  if (bytes.length && !types.includes(type)) {
    throw new Refusal(415, 'unsupported_media_type', `the body is ${type || 'of no type'}, not ${types.join(' or ')}`);
  }
}

/** The value of a body that is JSON by the contract, checked; `undefined` where there is none, or it is of another form. */
function readJson(bytes, { needsBody, isJson, checkBody }) {
  if (bytes.length === 0 && needsBody) {
    throw invalid('body: is missing');
  }
  if (bytes.length === 0 || !isJson) {
    return undefined;
  }
  let value;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw invalid(`body: ${error.message}`);
  }
  const wrong = checkBody(value);
  if (wrong) {
    throw invalid(wrong);
  }
  return value;
}

const typeOf = (request) => (request.headers['content-type'] ?? '').split(';', 1)[0].trim().toLowerCase();
const invalid = (detail) => new Refusal(422, 'invalid_request', detail);

const NOTHING = Buffer.alloc(0);
/** Bytes of a body at most; per operation where it is another number. */
const MAX_BODY = 64 * 1024;
const LARGE = { replace_list: 8 * 1024 * 1024 };
