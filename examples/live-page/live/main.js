// The live page: asks the control plane once a second and shows what it says.

import { Announcer } from './announcer.js';
import { BridgeTables } from './bridges.js';
import { show } from './dom.js';
import { amount, clock } from './format.js';
import { placedPerSecond } from './rates.js';
import { RecentCalls } from './recent.js';
import { Refusal, look, order } from './server.js';

const SECOND = 1000;
const LONGEST_PAUSE = 8 * SECOND;
/** Points of the plot of calls per second. */
const HISTORY = 120;

const element = (id) => document.getElementById(id);
const announcer = new Announcer(element('news'));
const tables = new BridgeTables(element('sets'), command);
const recent = new RecentCalls(element('recent'), element('recent-empty'));

let before;
let lost;
let pause = SECOND;
let timer;
const history = [];

async function refresh() {
  clearTimeout(timer);
  try {
    const now = await look();
    const rates = placedPerSecond(before, now);
    before = now;
    draw(now, rates);
    if (lost) {
      announcer.say('The control plane answers again.');
    }
    lost = undefined;
    pause = SECOND;
    connected(`As of ${clock(now.at)}`);
  } catch (error) {
    lost ??= Date.now();
    pause = Math.min(pause * 2, LONGEST_PAUSE);
    const last = before ? `What is shown is as of ${clock(before.at)}. ` : '';
    connected(`No answer since ${clock(lost)}: ${error.message}. ${last}Asking again.`);
  }
  clearTimeout(timer);
  if (!document.hidden) {
    timer = setTimeout(refresh, pause);
  }
}

function draw({ bridges, capacities, calls }, rates) {
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const taking = bridges.filter((bridge) => bridge.standing === 'candidate');
  const rate = rates && sum([...rates.values()]);
  show(element('calls'), amount(sum(bridges.map((bridge) => bridge.calls))));
  show(element('rate'), rates ? amount(rate) : '–');
  show(element('candidates'), `${taking.length} of ${bridges.length}`);
  if (rates) {
    history.push(rate);
    history.splice(0, history.length - HISTORY);
    plot();
  }
  tables.draw(bridges, capacities, rates);
  recent.draw(calls);
  announcer.compare(bridges);
}

/** The rates of the last two minutes, the newest at the right. */
function plot() {
  const highest = Math.max(1, ...history);
  const x = (index) => HISTORY - history.length + index;
  const points = history.map((rate, index) => `${x(index)},${27 - (rate / highest) * 26}`);
  element('history').firstElementChild.setAttribute('points', points.join(' '));
}

function connected(text) {
  // The time alone is no news: a screen reader should not read it out every second.
  element('connection').setAttribute('aria-live', lost ? 'polite' : 'off');
  document.body.classList.toggle('lost', Boolean(lost));
  show(element('connection'), text);
}

/** Carries out what a button says, and shows what came of it. */
async function command(verb, bridge) {
  const refusal = element('refusal');
  refusal.hidden = true;
  try {
    if (await order(verb, bridge, askToken)) {
      await refresh();
    }
  } catch (error) {
    const why = error instanceof Refusal ? error.message : 'the control plane does not answer';
    refusal.textContent = `${bridge.id}: ${verb} did not work, ${why}`;
    refusal.hidden = false;
  }
}

/** The token that the user types; `undefined` where they cancel. */
function askToken(why) {
  const [dialog, input] = [element('token'), element('token-value')];
  element('token-why').textContent = why;
  input.value = '';
  dialog.returnValue = 'cancel';
  dialog.showModal();
  input.focus();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      resolve(dialog.returnValue === 'send' ? input.value : undefined);
      input.value = '';
    }, { once: true });
  });
}

// Enter in the field means "Go on", not the first button of the form.
element('token-value').addEventListener('keydown', (event) => {
  if (event.key === 'Enter') {
    event.preventDefault();
    element('token').querySelector('.primary').click();
  }
});

document.addEventListener('visibilitychange', () => {
  if (!document.hidden) {
    refresh();
  }
});

refresh();
