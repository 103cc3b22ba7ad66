// Requests that Schemathesis makes up from the contract, answered as it says; the tests are those of the
// control plane on FastAPI (crates/dispatch-py/tests/control_plane/test_contract.py).

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { NODE, PYTHON, start } from './servers.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PACKAGE = path.join(ROOT, 'crates/dispatch-py');
const TESTS = 'tests/control_plane/test_contract.py::test_answers_are_as_the_document_says';

if (PYTHON) {
  test('whatever is asked, the answer is one of the contract', async (t) => {
    const { url } = await start(t, NODE, { list: '1 sip:a 32 0 duid=b1\n1 sip:b 32 0 duid=b2\n', token: 'a-token' });
    const environment = { ...process.env, CALLSTEER_URL: url, HYPOTHESIS_STORAGE_DIRECTORY: path.join(ROOT, 'target/python/hypothesis') };
    const run = spawn(PYTHON, ['-m', 'pytest', '-p', 'no:cacheprovider', '-q', TESTS], { cwd: PACKAGE, env: environment });
    let said = '';
    run.stdout.on('data', (bytes) => {
      said += bytes;
    });
    run.stderr.on('data', (bytes) => {
      said += bytes;
    });
    const [code] = await once(run, 'close');
    assert.equal(code, 0, said);
    t.diagnostic(said.trim().split('\n').at(-1));
  });
}
