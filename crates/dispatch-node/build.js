// Builds the native part for this machine, and puts it where lib/native.ts finds it, with the licences beside it.
'use strict';

const { execFileSync } = require('node:child_process');
const { copyFileSync } = require('node:fs');
const path = require('node:path');

const arguments_ = [
  'build',
  '--locked',
  '--release',
  '--package',
  'callsteer-node',
  '--message-format=json-render-diagnostics',
];
const messages = execFileSync('cargo', arguments_, {
  cwd: __dirname,
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
  stdio: ['ignore', 'pipe', 'inherit'],
});
const artifacts = messages
  .split('\n')
  .filter(Boolean)
  .map((line) => JSON.parse(line));
const library = artifacts.find(
  ({ reason, target }) => reason === 'compiler-artifact' && target.name === 'callsteer_node',
);
copyFileSync(library.filenames[0], path.join(__dirname, 'callsteer.node'));
for (const licence of ['LICENSE-MIT', 'LICENSE-APACHE']) {
  copyFileSync(path.join(__dirname, '../..', licence), path.join(__dirname, licence));
}
