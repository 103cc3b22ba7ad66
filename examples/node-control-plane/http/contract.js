// The contract, `examples/openapi.json`, as this server uses it: its operations, and what checks what
// comes in. Nothing of it is said a second time in code.

import { Ajv2020 } from 'ajv/dist/2020.js';

/** Operations in the order of the document, by `operationId`. */
export function operations(document) {
  const ajv = new Ajv2020({ strict: false });
  ajv.addSchema(document, 'contract');
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => describe(ajv, path, method, operation)));
}

function describe(ajv, path, method, operation) {
  const { operationId: id, parameters = [], requestBody } = operation;
  const content = requestBody?.content ?? {};
  const inPlace = (place) => parameters.filter((parameter) => parameter.in === place);
  return {
    id,
    method: method.toUpperCase(),
    url: path.replace(/\{([^}]+)\}/g, ':$1'),
    isSecured: Boolean(operation.security?.length),
    /** Of a body; empty where there is none. */
    types: Object.keys(content),
    needsBody: Boolean(requestBody?.required),
    /** A body of several forms, or of another one, is read by the library. */
    isJson: Object.keys(content).join() === 'application/json',
    checkPath: checker(ajv, 'path', objectOf(inPlace('path'))),
    checkQuery: checker(ajv, 'query', objectOf(inPlace('query'))),
    readQuery: (query) => readAs(inPlace('query'), query),
    checkBody: checker(ajv, 'body', inContract(content['application/json']?.schema ?? {})),
  };
}

/** Parameters that are not named are let through: a proxy in front may add its own. */
function objectOf(parameters) {
  return {
    type: 'object',
    properties: Object.fromEntries(parameters.map(({ name, schema }) => [name, inContract(schema)])),
    required: parameters.filter(({ required }) => required).map(({ name }) => name),
  };
}

/** Text of a query as the types that the contract has for it; what is none stays text, and is refused. */
function readAs(parameters, query) {
  const read = { ...query };
  for (const { name, schema } of parameters) {
    const text = query[name];
    if (schema.type === 'integer' && /^-?\d{1,15}$/.test(text)) {
      read[name] = Number(text);
    } else if (schema.type === 'boolean' && (text === 'true' || text === 'false')) {
      read[name] = text === 'true';
    }
  }
  return read;
}

/** References of a schema lead into the document. */
function inContract(schema) {
  return JSON.parse(JSON.stringify(schema), (key, value) => (key === '$ref' ? `contract${value}` : value));
}

/** Gives what is wrong with a value, and where; `undefined` where nothing is. */
function checker(ajv, place, schema) {
  const validate = ajv.compile(schema);
  return (value) => {
    if (validate(value)) {
      return undefined;
    }
    // Of several alternatives, the last complaint is about all of them; the first one says more.
    const [{ instancePath, message, params }] = validate.errors;
    const where = `${place}${instancePath.replaceAll('/', '.')}`;
    const what = params.additionalProperty ? `unknown field ${params.additionalProperty}` : message;
    return `${where}: ${what}`;
  };
}
