// Whether `types/`, which is committed, is what the sources say: `npm run declarations` writes it anew.
'use strict';

const assert = require('node:assert/strict');
const { execSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const PACKAGE = path.join(__dirname, '../..');
const read = (folder) => {
  const files = fs.readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.d.ts'));
  return Object.fromEntries(files.map((file) => [file, fs.readFileSync(path.join(folder, file), 'utf8')]));
};

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'callsteer-types-'));
try {
  execSync(`npx tsc --declaration --emitDeclarationOnly --declarationDir "${folder}"`, {
    cwd: PACKAGE,
    stdio: 'inherit',
  });
  assert.deepEqual(
    read(path.join(PACKAGE, 'types')),
    read(folder),
    'types/ is not what lib/ says: npm run declarations',
  );
  console.log(`${Object.keys(read(folder)).length} files of types are what the sources say`);
} finally {
  fs.rmSync(folder, { recursive: true });
}
