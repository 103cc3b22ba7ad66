// The package loads in every thread; a dispatcher stays in its own.
'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { test } = require('node:test');
const { MessageChannel, Worker } = require('node:worker_threads');

const { Dispatcher } = require('..');

const PROGRAM = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { CallsteerError, Dispatcher } = require(workerData);
  const dispatcher = new Dispatcher({ dispatchers: 2 });
  dispatcher.add(1, { uri: 'a', maxCalls: 2 });
  const leases = ['1', '2'].map((call) => dispatcher.begin(call).lease);
  try {
    dispatcher.begin('3');
  } catch (error) {
    parentPort.postMessage([leases, error instanceof CallsteerError, error.code]);
  }
`;

test('each worker has a dispatcher of its own, and ends without a trace', async () => {
  const here = new Dispatcher({ dispatchers: 2 });
  here.add(1, { uri: 'a' });
  const workers = [1, 2, 3].map(() => new Worker(PROGRAM, { eval: true, workerData: require.resolve('..') }));
  const messages = await Promise.all(workers.map((worker) => once(worker, 'message')));
  for (const [[leases, isCallsteerError, code]] of messages) {
    assert.deepEqual([leases.length, isCallsteerError, code], [2, true, 'full']);
  }
  const codes = await Promise.all(workers.map((worker) => worker.terminate()));
  assert.equal(codes.length, 3);
  assert.equal(here.stats().calls, 0);
});

test('a dispatcher cannot be given to another thread, and says why', () => {
  const dispatcher = new Dispatcher();
  const says = /a Dispatcher lives in the thread that made it/;
  const { port1, port2 } = new MessageChannel();
  assert.throws(() => structuredClone(dispatcher), says);
  assert.throws(() => port1.postMessage({ deep: [dispatcher] }), says);
  assert.throws(() => new Worker('', { eval: true, workerData: dispatcher }), says);
  port1.close();
  port2.close();
});
