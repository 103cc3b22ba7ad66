// The live page: the files of examples/live-page, read once.

import { readFileSync, readdirSync } from 'node:fs';

const FOLDER = new URL('../../live-page/', import.meta.url);
const TYPES = { html: 'text/html', css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml' };

/** Adds `/live/...`; gives what answers `/`. */
export function serveLivePage(app) {
  for (const name of readdirSync(new URL('live/', FOLDER))) {
    app.get(`/live/${name}`, answerWith(`live/${name}`));
  }
  return answerWith('index.html');
}

function answerWith(path) {
  const content = readFileSync(new URL(path, FOLDER));
  const type = `${TYPES[path.slice(path.lastIndexOf('.') + 1)]}; charset=utf-8`;
  return (request, reply) =>
    reply.headers({ 'content-type': type, 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' }).send(content);
}
