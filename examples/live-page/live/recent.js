// The last calls: where each went, why in a sentence, and what every bridge was compared by.

import { keep, make, show } from './dom.js';
import { algorithm, amount, clock, words } from './format.js';
import { isIt, meaningOfKey, why } from './why.js';

export class RecentCalls {
  #parent;
  #empty;
  #calls = new Map();

  constructor(parent, empty) {
    this.#parent = parent;
    this.#empty = empty;
  }

  draw(calls) {
    this.#empty.hidden = calls.length > 0;
    keep(this.#parent, this.#calls, calls, ({ at, call_id }) => `${at} ${call_id}`, create, () => {});
  }
}

function create(call) {
  const details = make('details', {},
    make('summary', {},
      make('time', { dateTime: new Date(call.at * 1000).toISOString(), textContent: clock(call.at * 1000) }),
      make('strong', { textContent: call.destination.id }),
      make('span', { className: 'why', textContent: why(call) }),
      make('code', { textContent: call.call_id })));
  // Twenty calls by a hundred bridges: rows are made for those who look.
  details.addEventListener('toggle', () => details.append(table(call)), { once: true });
  return { element: make('li', {}, details) };
}

function table({ destination, rows }) {
  const names = [...new Set(rows.map((row) => algorithm(row.algorithm)))];
  const columns = ['Route', 'Algorithm', 'Bridge', 'Stood', 'Key', 'Predicted', 'Residual', 'Estimate', 'Report age'];
  const head = columns.map((name) => make('th', { scope: 'col', textContent: name }));
  const body = rows.map((row) => {
    const tr = make('tr', { className: isIt(row.destination, destination) ? 'chosen' : '' });
    const age = row.age === null ? '–' : `${amount(row.age)} s`;
    const texts = [row.route, algorithm(row.algorithm), null, words(row.standing), amount(row.key),
      amount(row.predicted), amount(row.residual), `${amount(row.load)}${row.trusted ? '' : ' (score ignored)'}`, age];
    tr.append(...texts.map((text) => (text === null ? make('th', { scope: 'row' }) : make('td', { textContent: text }))));
    show(tr.querySelector('th'), row.destination.id + (isIt(row.destination, destination) ? ' ←' : ''));
    return tr;
  });
  const meanings = names.map((name) => `${name}: ${meaningOfKey(name)}`).join('; ');
  return make('div', { className: 'scroll', tabIndex: 0, attributes: { role: 'region', 'aria-label': 'What bridges were compared by' } },
    make('table', {},
      make('caption', { textContent: `Key, the least first: ${meanings}.` }),
      make('thead', {}, make('tr', {}, ...head)),
      make('tbody', {}, ...body)));
}
