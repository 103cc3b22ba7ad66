// One table of bridges per set, with how full the set is.

import { keep, make, show } from './dom.js';
import { amount, observed, percent, words } from './format.js';
import { nameOf } from './rates.js';

/** A button, what it orders, and which will it is the button of. */
const WILLS = [
  ['Enable', 'enable', 'enabled'],
  ['Drain', 'drain', 'draining'],
  ['Disable', 'disable', 'disabled'],
];
const COLUMNS = ['Bridge', 'Stands', 'Probes', 'Calls', 'Load', 'Score', 'Placed/s', 'Ejections', 'Wanted'];

export class BridgeTables {
  #parent;
  #command;
  #sets = new Map();

  /** `command(verb, bridge)` is called for what the user clicks. */
  constructor(parent, command) {
    this.#parent = parent;
    this.#command = command;
  }

  draw(bridges, capacities, rates) {
    const sets = [...new Set(bridges.map((bridge) => bridge.set))].sort((a, b) => a - b);
    keep(this.#parent, this.#sets, sets, (set) => set, createSet, (view, set) => {
      show(view.capacity, capacityText(capacities.get(set)));
      const members = bridges.filter((bridge) => bridge.set === set);
      keep(view.body, view.rows, members, nameOf, (bridge) => this.#createRow(bridge), (row, bridge) => {
        row.bridge = bridge;
        updateRow(row, bridge, rates?.get(nameOf(bridge)));
      });
    });
  }

  #createRow(bridge) {
    const cell = (label, ...children) => make('td', { attributes: { role: 'cell', 'data-label': label } }, ...children);
    const view = { bridge };
    view.bar = make('span', { className: 'bar', attributes: { 'aria-hidden': 'true' } });
    view.calls = make('span');
    view.buttons = WILLS.map(([text, verb]) => {
      const button = make('button', { type: 'button', textContent: text });
      button.addEventListener('click', () => this.#command(verb, view.bridge));
      return button;
    });
    view.uri = make('small');
    view.standing = make('span', { className: 'standing' });
    view.cells = Object.fromEntries(['Probes', 'Load', 'Score', 'Placed/s', 'Ejections'].map((label) => [label, cell(label)]));
    const will = { role: 'group', 'aria-label': `What is wanted of ${bridge.id}` };
    view.element = make('tr', { attributes: { role: 'row' } },
      make('th', { scope: 'row', attributes: { role: 'rowheader' } }, bridge.id, view.uri),
      cell('Stands', view.standing),
      view.cells.Probes,
      cell('Calls', view.calls, view.bar),
      view.cells.Load, view.cells.Score, view.cells['Placed/s'], view.cells.Ejections,
      cell('Wanted', make('div', { className: 'will', attributes: will }, ...view.buttons)));
    return view;
  }
}

function createSet(set) {
  const title = `set-${set}`;
  const view = { rows: new Map(), capacity: make('p', { className: 'capacity' }) };
  const head = COLUMNS.map((name) => make('th', { scope: 'col', textContent: name, attributes: { role: 'columnheader' } }));
  view.body = make('tbody', { attributes: { role: 'rowgroup' } });
  view.element = make('section', { attributes: { 'aria-labelledby': title } },
    make('h2', { id: title, textContent: `Bridges of set ${set}` }),
    view.capacity,
    make('table', { attributes: { role: 'table', 'aria-labelledby': title } },
      make('thead', { attributes: { role: 'rowgroup' } }, make('tr', { attributes: { role: 'row' } }, ...head)),
      view.body));
  return view;
}

function updateRow(view, bridge, rate) {
  show(view.uri, bridge.uri === bridge.id ? '' : bridge.uri);
  show(view.standing, words(bridge.standing));
  view.standing.dataset.standing = bridge.standing;
  show(view.cells.Probes, observed(bridge.observed));
  show(view.calls, bridge.max_calls ? `${amount(bridge.calls)} of ${amount(bridge.max_calls)}` : amount(bridge.calls));
  view.bar.hidden = !bridge.max_calls;
  view.bar.style.setProperty('--filled', Math.min(1, bridge.calls / (bridge.max_calls || 1)));
  show(view.cells.Load, amount(bridge.load));
  show(view.cells.Score, amount(bridge.score));
  show(view.cells['Placed/s'], amount(rate));
  show(view.cells.Ejections, amount(bridge.ejected));
  WILLS.forEach(([, , will], index) => {
    view.buttons[index].setAttribute('aria-pressed', String(bridge.will === will));
  });
}

function capacityText(capacity) {
  if (typeof capacity?.utilisation !== 'number') {
    return 'Nobody says how much these can carry.';
  }
  const used = `${percent(capacity.utilisation)} used: load ${amount(capacity.load)} of ${amount(capacity.capacity)}`;
  const bridges = (count) => (count === 1 ? '1 bridge' : `${count} bridges`);
  const desired = typeof capacity.desired === 'number' ? `; ${bridges(capacity.desired)} desired` : '';
  return `${used} on ${bridges(capacity.members)}${desired}.`;
}
