// Examples of the documents run, each document's as one program; those in TypeScript are compiled.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, test } = require('node:test');

const ROOT = path.join(__dirname, '../../..');
// Within the package, whose name means the package itself there, with what it has installed.
const folder = fs.mkdtempSync(path.join(__dirname, 'documents-'));

after(() => fs.rmSync(folder, { recursive: true }));

/** The documents with examples in a language, and their examples as one program. */
function programs(language) {
  const block = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm');
  const documents = ['.', 'docs', 'crates/dispatch-node'].flatMap((of) =>
    fs.readdirSync(path.join(ROOT, of)).map((name) => path.join(of, name)),
  );
  return documents
    .filter((name) => name.endsWith('.md'))
    .map((name) => [name, [...fs.readFileSync(path.join(ROOT, name), 'utf8').matchAll(block)].map(([, code]) => code)])
    .filter(([, blocks]) => blocks.length > 0)
    .map(([name, blocks]) => [name, blocks.join('\n')]);
}

function written(name, extension, program) {
  const file = path.join(folder, name.replaceAll(path.sep, '-') + extension);
  fs.writeFileSync(file, program);
  return file;
}

const inJavaScript = programs('js');
for (const [name, program] of inJavaScript) {
  test(`the examples of ${name}`, () => {
    const file = written(name, /^import /m.test(program) ? '.mjs' : '.cjs', program);
    execFileSync(process.execPath, [file], { encoding: 'utf8', stdio: 'pipe' });
  });
}

const inTypeScript = programs('ts');
test('examples in TypeScript are right', () => {
  const files = inTypeScript.map(([name, program]) => path.basename(written(name, '.mts', program)));
  const config = { extends: '../types/tsconfig.json', include: files };
  fs.writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = path.join(__dirname, '../node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '--project', folder], { encoding: 'utf8', stdio: ['ignore', 'inherit', 'inherit'] });
});

test('documents with examples are found', () => {
  assert(inJavaScript.length >= 4 && inTypeScript.length >= 1);
});
