// The types from an ES module.

import { Dispatcher, type Placed } from 'callsteer';
import { registerMetrics } from 'callsteer/prometheus';

const dispatcher = new Dispatcher();
const placed: Placed = dispatcher.begin('1');
registerMetrics(dispatcher);
console.log(placed.lease);
