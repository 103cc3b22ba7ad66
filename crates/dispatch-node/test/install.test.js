// The packed package is installed in an empty folder; the example of the README runs there, in both kinds of modules.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync, execSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, test } = require('node:test');

const PACKAGE = path.join(__dirname, '..');
const README = path.join(PACKAGE, '../../README.md');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'callsteer-'));

before(() => {
  const [{ filename, files }] = JSON.parse(
    execSync(`npm pack --json --pack-destination "${folder}"`, { cwd: PACKAGE }),
  );
  const packed = files.map((file) => file.path);
  for (const file of [
    'callsteer.node',
    'dist/index.js',
    'types/index.d.ts',
    'README.md',
    'LICENSE-MIT',
    'LICENSE-APACHE',
  ]) {
    assert(packed.includes(file), `${file} is not packed`);
  }
  assert.deepEqual(
    packed.filter((file) => /^(src|lib|test|bench|node_modules)/.test(file)),
    [],
  );
  fs.writeFileSync(path.join(folder, 'package.json'), '{"private": true}');
  execSync(`npm install --offline --no-audit --no-fund "./${filename}"`, { cwd: folder, stdio: 'pipe' });
});

after(() => fs.rmSync(folder, { recursive: true }));

/** Runs a program in the folder; gives what it prints. */
function run(name, program) {
  fs.writeFileSync(path.join(folder, name), program);
  return execFileSync(process.execPath, [name], { cwd: folder, encoding: 'utf8' });
}

/** The example of the README in ES modules. */
function example() {
  const section = /## In Node\n[^]*?\n```js\n([^]*?)```/.exec(fs.readFileSync(README, 'utf8'));
  return section[1];
}

/** The same as a CommonJS module. */
function commonJs(program) {
  const changed = program.replace(/^import (\{.*\}) from ('.*');.*$/m, 'const $1 = require($2);');
  assert.notEqual(changed, program);
  return changed;
}

for (const [name, program] of [
  ['example.mjs', example()],
  ['example.cjs', commonJs(example())],
]) {
  test(`the example of the README as ${name}`, () => {
    const printed = run(name, program);
    assert.match(printed, /^INVITE to sip:10\.0\.0\.[12]\nINVITE to sip:10\.0\.0\.[12]\n/);
    assert.match(printed, /begun: 1/);
    assert.match(printed, /ended: 1/);
  });
}

test('both kinds of modules see the same package', () => {
  const program = `
    import { createRequire } from 'node:module';
    import * as imported from 'callsteer';
    const required = createRequire(import.meta.url)('callsteer');
    const names = Object.keys(required);
    console.log(names.length > 15, names.filter((name) => imported[name] !== required[name]));
  `;
  assert.equal(run('same.mjs', program), 'true []\n');
});

test('without prom-client only its collector is missing', () => {
  const program = `
    require('callsteer');
    try { require('callsteer/prometheus'); } catch (error) { console.log(error.code, /prom-client/.test(error.message)); }
  `;
  assert.equal(run('collector.cjs', program), 'MODULE_NOT_FOUND true\n');
});

test('without its native part it says for which platform that is missing', () => {
  const native = path.join(folder, 'node_modules/callsteer/callsteer.node');
  fs.renameSync(native, `${native}.away`);
  const program = "try { require('callsteer'); } catch (error) { console.log(error.message); }";
  assert.match(
    run('missing.cjs', program),
    new RegExp(`^callsteer has no native part for ${process.platform}-${process.arch}`),
  );
  fs.renameSync(`${native}.away`, native);
});
