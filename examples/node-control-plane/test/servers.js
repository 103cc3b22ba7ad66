// The control planes that a test runs against: the one on Node, and the one on FastAPI where
// CALLSTEER_PYTHON names a Python that has it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const SERVER = fileURLToPath(new URL('../server.js', import.meta.url));
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** From the root of the repository, where it is no absolute path. */
export const PYTHON = process.env.CALLSTEER_PYTHON && path.resolve(ROOT, process.env.CALLSTEER_PYTHON);

/** Name and command line. */
export const NODE = { name: 'node', command: [process.execPath, SERVER] };
export const SERVERS = [
  NODE,
  ...(PYTHON ? [{ name: 'fastapi', command: [PYTHON, '-m', 'callsteer.fastapi'] }] : []),
];

/** Bridges of a test are nowhere: nobody should ask them. */
const UNPROBED = { probing: { mode: 'off' } };

/** Starts a control plane that ends with the test: `{ url, port, child, stop }`. */
export async function start(t, server, { list, config = {}, token, report_keys: keys = {}, port = 0, environment = {} }) {
  const folder = mkdtempSync(path.join(tmpdir(), 'callsteer-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(path.join(folder, 'dispatcher.list'), list);
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify({ ...UNPROBED, ...config }));
  writeFileSync(path.join(folder, 'report.keys'), Object.entries(keys).map((line) => `${line.join(' ')}\n`).join(''));
  const files = ['--list', path.join(folder, 'dispatcher.list'), '--config', path.join(folder, 'config.json')];
  files.push('--report-keys', path.join(folder, 'report.keys'));
  const run = spawnServer(server, [...files, '--port', String(port)], { ...(token && { CALLSTEER_TOKEN: token }), ...environment });
  t.after(run.stop);
  const url = await run.listening;
  return { ...run, url, port: Number(new URL(url).port) };
}

/** Runs a control plane with these arguments; `listening` fails with what it said instead. */
export function spawnServer({ command: [program, ...first] }, args, environment = {}) {
  const { CALLSTEER_TOKEN: _, ...inherited } = process.env;
  const child = spawn(program, [...first, ...args], { env: { ...inherited, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  const over = once(child, 'close').then(([code, signal]) => ({ code, signal, said }));
  let said = '';
  child.stderr.on('data', (bytes) => {
    said += bytes;
  });
  const lines = createInterface({ input: child.stdout });
  const listening = (async () => {
    for await (const line of lines) {
      const url = /^listening on (http:\S+)$/.exec(line)?.[1];
      if (url) {
        return url;
      }
    }
    throw new Error(`the server ended: ${(await over).said}`);
  })();
  // Whoever only waits for the end is not told twice.
  listening.catch(() => {});
  const stop = async () => {
    child.kill();
    return over;
  };
  return { child, listening, over, stop };
}

/** One exchange, sent as it is written: `{ status, headers, body }`. */
export async function send(url, { method, path: target, headers = {}, body }) {
  const { hostname, port } = new URL(url);
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
  const request = http.request({ hostname, port, method, path: target, headers: { ...length, ...headers }, agent: false });
  // A server that refuses early may close before everything is sent: its answer counts.
  request.on('error', () => {});
  request.end(body);
  const [response] = await once(request, 'response');
  let text = '';
  response.setEncoding('utf8');
  for await (const piece of response) {
    text += piece;
  }
  return { status: response.statusCode, headers: response.headers, body: text };
}
