// The live page in headless Chromium, served by each control plane.

import assert from 'node:assert/strict';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { chromium } from 'playwright-core';

import { SERVERS, send, start } from './servers.js';

const TOKEN = 's3cret';
const LIST = '1 sip:10.0.0.1 0 0 duid=b1;maxload=5\n1 sip:10.0.0.2 0 0 duid=b2;maxload=5\n2 sip:10.0.0.3 0 0 duid=b3\n';

/** `CHROMIUM`, or the first one on the path. */
function findChromium() {
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const onThePath = (process.env.PATH ?? '').split(path.delimiter).flatMap((folder) => names.map((name) => path.join(folder, name)));
  const found = [process.env.CHROMIUM, ...onThePath].find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  assert.ok(found, 'there is no Chromium on the path: apt-get install chromium, or set CHROMIUM');
  return found;
}

/** A page of this control plane, and everything that went wrong in it; both end with the test. */
async function open(t, url, options = {}) {
  const browser = await chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox', '--disable-quic'] });
  t.after(() => browser.close());
  const page = await browser.newPage({ reducedMotion: 'reduce', ...options });
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // What the network says of a refusal is no complaint of the page.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
      complaints.push(message.text());
    }
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(url)) {
      complaints.push(`a request to ${request.url()}`);
    }
  });
  await page.goto(url);
  const bridge = (id) => page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: id }) });
  const button = (id, name) => bridge(id).getByRole('button', { name, exact: true });
  const calls = (id) => bridge(id).locator('[data-label="Calls"]');
  return { page, complaints, bridge, button, calls };
}

const says = (locator, text) => locator.filter({ hasText: text }).waitFor();
const order = (url, method, target, body) => {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
  return send(url, { method, path: target, headers, body: body && JSON.stringify(body) });
};
const place = (url, callId) => order(url, 'POST', '/calls', { call_id: callId });

for (const server of SERVERS) {
  test(`${server.name}: a bridge is drained by a click, and seen to be empty`, async (t) => {
    const { url } = await start(t, server, { list: LIST, token: TOKEN, config: { scaling: { min_members: 3 } } });
    for (const callId of ['a', 'b', 'c', 'd']) {
      await place(url, callId);
    }
    const { page, complaints, bridge, button, calls } = await open(t, url);
    await says(calls('b1'), '2 of 5');
    await says(calls('b2'), '2 of 5');
    await says(page.locator('.capacity').first(), '40 % used: load 4 of 10 on 2 bridges; 3 bridges desired.');
    await says(page.locator('.capacity').last(), 'Nobody says how much these can carry.');
    await says(page.locator('#recent li').first(), 'call_load: load per weight after the call is 2, 3 or more elsewhere (2 candidates).');

    await button('b1', 'Drain').click();
    await page.getByLabel('Bearer token').fill('wrong');
    await page.keyboard.press('Enter');
    await says(page.locator('#token-why'), 'The control plane refuses this token.');
    await page.getByLabel('Bearer token').fill(TOKEN);
    await page.keyboard.press('Enter');
    await says(bridge('b1').locator('[data-label="Stands"]'), 'draining');
    assert.equal(await button('b1', 'Drain').getAttribute('aria-pressed'), 'true');
    assert.equal(await button('b1', 'Enable').getAttribute('aria-pressed'), 'false');

    await place(url, 'e');
    await says(calls('b2'), '3 of 5');
    await says(page.locator('#recent li').first(), 'call_load: the only candidate. Not asked: b1 (draining).');
    for (const callId of ['a', 'b', 'c', 'd']) {
      await order(url, 'DELETE', `/calls/${callId}`);
    }
    await says(calls('b1'), '0 of 5');
    await says(page.locator('#news'), 'b1 has no calls left.');

    // The token is known now, and the keyboard does as well.
    await button('b1', 'Enable').focus();
    await page.keyboard.press('Space');
    await says(bridge('b1').locator('[data-label="Stands"]'), 'candidate');
    await button('b1', 'Disable').click();
    await says(bridge('b1').locator('[data-label="Stands"]'), 'disabled');
    assert.deepEqual(complaints, []);
  });

  test(`${server.name}: why a call went where it went is unfolded, bridge by bridge`, async (t) => {
    const { url } = await start(t, server, { list: LIST, token: TOKEN });
    await place(url, 'a');
    const { page, complaints } = await open(t, url);
    await page.locator('#recent summary').first().click();
    const cells = await page.locator('#recent tbody tr').evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));
    const others = ['0', '0', '0', '–'];
    assert.deepEqual(cells.map((row) => row.filter((_, column) => column !== 2)), [
      ['0', 'call_load', 'candidate', '1', ...others],
      ['0', 'call_load', 'candidate', '1', ...others],
    ]);
    assert.deepEqual(cells.map((row) => row[2].replace(' ←', '')), ['b1', 'b2']);
    assert.equal(cells.filter((row) => row[2].endsWith(' ←')).length, 1);
    assert.deepEqual(complaints, []);
  });

  test(`${server.name}: the page outlives its server`, async (t) => {
    const first = await start(t, server, { list: LIST });
    const { page, complaints, button, bridge } = await open(t, first.url, { viewport: { width: 360, height: 800 } });
    await button('b1', 'Drain').waitFor();
    const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(tooWide <= 0, `${tooWide} pixels do not fit on a phone`);
    await first.stop();
    await says(page.getByRole('status'), 'No answer since');
    await button('b1', 'Drain').click();
    await says(page.getByRole('alert'), 'b1: drain did not work, the control plane does not answer');
    await start(t, server, { list: LIST, port: first.port });
    await says(page.getByRole('status'), 'As of');
    // Without a token, nobody is asked for one.
    await button('b1', 'Drain').click();
    await says(bridge('b1').locator('[data-label="Stands"]'), 'draining');
    assert.deepEqual(complaints, []);
  });
}
