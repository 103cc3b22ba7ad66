#!/usr/bin/env node
// A control plane that stands alone: docs/control-plane.md.

import { readFileSync } from 'node:fs';
import { lookup } from 'node:dns/promises';
import { parseArgs } from 'node:util';

import pino from 'pino';

import { ControlPlane } from './control-plane.js';
import { createApp } from './http/app.js';
import { isLoopback } from './http/guard.js';
import { SettingsError, readSettings } from './settings.js';

const USAGE = `usage: node server.js [--list FILE] [--config FILE] [--report-keys FILE] [--state FILE] [--host HOST] [--port PORT]
                      [--replicas URL] [--replica-id NAME] [--namespace NAME]

Says over HTTP which bridge takes the next call: docs/control-plane.md.

  --list FILE         the bridges: a dispatcher.list
  --config FILE       options of the dispatcher: a JSON object, durations in seconds
  --report-keys FILE  what bridges sign their reports with: lines of ID KEY
  --state FILE        where calls and bridges survive a crash: a SQLite database
  --state-sync WHEN   when that must have reached the disk: always, second or never (default: second)
  --host HOST         the address to listen on (default: 127.0.0.1)
  --port PORT         the port; 0 takes a free one (default: 8080)
  --replicas URL      several control planes over one fleet share what they know through this Redis:
                      redis://, rediss:// or unix://; docs/scaling.md
  --replica-id NAME   the name of this one among them (default: the host's, and a number)
  --namespace NAME    the fleet's name in that Redis (default: callsteer)
  --help              this

From the environment: CALLSTEER_TOKEN, which clients must show to change anything, and
CALLSTEER_EVENT_SOCKET_PASSWORD, for bridges that are a FreeSWITCH (README.md).
`;

const GRACE = 5000;

async function main() {
  const options = readArguments();
  const settings = readSettings(options);
  const log = pino(pino.destination(2));
  const address = await addressOf(options.host, settings.token);
  const plane = new ControlPlane(settings, log);
  const contract = JSON.parse(readFileSync(new URL('../openapi.json', import.meta.url)));
  const app = createApp({ plane, contract, token: settings.token, log });
  let url;
  try {
    url = await app.listen({ host: address, port: options.port });
  } catch (error) {
    throw new SettingsError(`cannot listen on ${options.host}, port ${options.port}: ${error.message}`);
  }
  plane.start();
  console.log(`listening on ${url}`);
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.once(signal, async () => {
      // Requests that are under way are answered first, unless their clients never finish them.
      setTimeout(() => app.server.closeAllConnections(), GRACE).unref();
      await app.close();
      plane.stop();
    });
  }
}

function readArguments() {
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        list: { type: 'string' },
        config: { type: 'string' },
        'report-keys': { type: 'string' },
        state: { type: 'string' },
        'state-sync': { type: 'string', default: 'second' },
        host: { type: 'string', default: '127.0.0.1' },
        port: { type: 'string', default: '8080' },
        replicas: { type: 'string' },
        'replica-id': { type: 'string' },
        namespace: { type: 'string', default: 'callsteer' },
        help: { type: 'boolean', short: 'h' },
      },
    }));
  } catch (error) {
    throw new SettingsError(`${error.message}\n\n${USAGE}`);
  }
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  if (!/^\d{1,5}$/.test(values.port) || Number(values.port) > 65_535) {
    throw new SettingsError(`--port is 0 to 65535, not ${values.port}`);
  }
  const stateSync = values['state-sync'];
  if (!['always', 'second', 'never'].includes(stateSync)) {
    throw new SettingsError(`--state-sync is always, second or never, not ${stateSync}`);
  }
  return { ...values, reportKeys: values['report-keys'], stateSync, port: Number(values.port) };
}

/** The address to listen on, which tells whether it is one that needs a token. */
async function addressOf(host, token) {
  let address;
  try {
    ({ address } = await lookup(host));
  } catch (error) {
    throw new SettingsError(`cannot listen on ${host}: ${error.message}`);
  }
  if (token === undefined && !isLoopback(address)) {
    throw new SettingsError(`${host} is no loopback address: set CALLSTEER_TOKEN, which clients must then show`);
  }
  return address;
}

try {
  await main();
} catch (error) {
  if (!(error instanceof SettingsError)) {
    throw error;
  }
  console.error(`callsteer: ${error.message}`);
  process.exitCode = 2;
  // A worker of a cluster would be kept alive by its channel.
  if (process.connected) {
    process.exit();
  }
}
