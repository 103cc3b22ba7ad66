// What a control plane is started with: files, and secrets from the environment.

import { readFileSync } from 'node:fs';

import { CallsteerError, parseConfig } from 'callsteer';

import { Refusal } from './refusal.js';
import { parseReportKeys } from './report-keys.js';
import { StateError } from './store.js';

/** What a control plane cannot start with; says what and where. */
export class SettingsError extends Error {}

/** Says in which file something is wrong that the library or this server refuses. */
export function named(name, make) {
  try {
    return make();
  } catch (error) {
    if (error instanceof StateError) {
      throw new SettingsError(error.message);
    }
    if (error instanceof CallsteerError || error instanceof Refusal) {
      throw new SettingsError(`${name}: ${error.message}`);
    }
    throw error;
  }
}

/** `list`, `config`, `reportKeys` and `state` are paths of files, or undefined; so may be the URL of an engine, `replicas`. */
export function readSettings(options, environment = process.env) {
  const { list, config, reportKeys, state, stateSync, replicas, 'replica-id': replicaId, namespace } = options;
  if (state !== undefined && replicas !== undefined) {
    throw new SettingsError('--state and --replicas do not go together: what a replica leaves, the others go on with');
  }
  return {
    listName: list ?? 'the list',
    list: list === undefined ? Buffer.alloc(0) : read(list),
    configName: config ?? 'the configuration',
    config: named(config, () => (config === undefined ? {} : parseConfig(read(config)))),
    reportKeys: reportKeys === undefined ? new Map() : readReportKeys(reportKeys),
    state,
    stateSync,
    replicas: replicas === undefined ? undefined : { url: replicas, id: replicaId, namespace },
    token: checkToken(environment.CALLSTEER_TOKEN),
    eventSocketPassword: environment.CALLSTEER_EVENT_SOCKET_PASSWORD,
  };
}

function read(path) {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new SettingsError(`${path}: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`);
  }
}

function readReportKeys(path) {
  const bytes = read(path);
  try {
    return parseReportKeys(bytes);
  } catch (error) {
    throw new SettingsError(`${path}: ${error.message}`);
  }
}

/** Refuses a token that no header can carry: an empty one, or one that was read with its line end. */
function checkToken(token) {
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new SettingsError('CALLSTEER_TOKEN is empty, or has a space, a line end or a letter that is not ASCII');
  }
  return token;
}
