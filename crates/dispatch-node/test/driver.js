// Does what a step of a vector says: testdata/README.md.
'use strict';
const assert = require('node:assert/strict');
const callsteer = require('callsteer');
const { camel, ms, seconds, toNode, fromNode } = require('./names.js');

const ASK = 'call set key class cost tenant';

/** A dispatcher, and by which names the steps know what is in it. */
class Driver {
  constructor(config, now = 0) {
    const [leases, calls, named] = [new Map(), new Map(), new Map()];
    Object.assign(this, { node: new callsteer.Dispatcher(toNode(config)), now, leases, calls, named });
  }

  /** Of each command: its arguments, and what it does with them. */
  static commands = {
    new: ['config', (d, { config }) => void Object.assign(d, new Driver(config, d.now))],
    add: ['set destination', (d, s) => void d.node.add(s.set ?? 1, toNode(s.destination), d.now)],
    update: ['who destination', (d, s) => void d.node.update(d.who(s), toNode(s.destination), d.now)],
    remove: ['who', (d, s) => d.node.remove(d.who(s), d.now)],
    set_enabled: ['who enabled', (d, s) => d.node.setEnabled(d.who(s), s.enabled, d.now)],
    drain: ['who deadline', (d, s) => d.node.drain(d.who(s), s.deadline && { deadline: ms(s.deadline) }, d.now)],
    plan: ['list', (d, { list }) => {
      d.plan = d.node.plan(list.map(([set, said]) => [set, toNode(said)]));
      return d.plan.toString().trimEnd().split('\n');
    }],
    apply: ['', (d) => d.node.apply(d.plan, d.now)],
    begin: [ASK, (d, s) => {
      const placed = d.node.begin(ask(s), d.now);
      assert(!d.calls.has(placed.lease), 'the lease is new');
      d.learn(s.call, placed.lease);
      return to(placed);
    }],
    repeat: [ASK, (d, s) => {
      const placed = d.node.begin(ask(s), d.now);
      return assert.equal(placed.lease, d.lease(s)) ?? to(placed);
    }],
    pick: [ASK, (d, s) => to(d.node.pick(ask(s), d.now))],
    picks: ['calls replies', (d, { calls, replies = [] }) => calls.map((call, index) => {
      const placed = d.node.begin(call, d.now);
      if (replies[index] === 200) d.node.confirm(placed.lease, d.now);
      else if (index in replies) d.node.fail(placed.lease, replies[index], d.now);
      d.node.end(placed.lease, d.now);
      return to(placed);
    })],
    explain: [ASK, (d, s) => {
      const { destination, refused, rows } = d.node.explain(ask(s));
      const outcome = refused ? { error: refused.code } : { to: name(destination) };
      return { ...outcome, rows: rows.map((row) => [row.route, name(row.destination), row.standing, row.key]) };
    }],
    estimates: [ASK, (d, s) => {
      const { rows } = d.node.explain(ask(s));
      return Object.fromEntries(rows.map((row) => [name(row.destination), fromNode(row.estimate)]));
    }],
    confirm: ['call', (d, s) => d.node.confirm(d.lease(s), d.now)],
    fail: ['call reply retry_after', (d, s) => d.node.fail(d.lease(s), reply(s), d.now)],
    next: ['call', (d, s) => to(d.node.next(d.lease(s), d.now))],
    end: ['call', (d, s) => d.node.end(d.lease(s), d.now)],
    confirm_call: ['call', (d, s) => d.node.confirmCall(s.call, d.now)],
    fail_call: ['call reply retry_after', (d, s) => d.node.failCall(s.call, reply(s), d.now)],
    next_call: ['call', (d, s) => to(d.node.nextCall(s.call, d.now))],
    end_call: ['call', (d, s) => d.node.endCall(s.call, d.now)],
    probe_result: ['who reply retry_after', (d, s) => d.node.probeResult(d.who(s), reply(s), d.now)],
    report: ['who report', (d, s) => d.node.report(d.who(s), toNode(numbers(s.report)), d.now)],
    reconcile: ['who calls count', (d, { calls = [], count = calls, ...s }) => {
      const done = d.node.reconcile(d.who(s), count, d.now);
      calls.filter((call) => d.node.callOf(call)).forEach((call) => d.learn(call, d.node.callOf(call)));
      return done;
    }],
    read_report: ['form text', (_, { form, text }) => {
      const read = callsteer[camel(`parse_${form === 'json' ? 'report' : form}`)](text);
      const { report, metrics, operational, description, unknown } = form === 'json' ? { report: read } : read;
      const said = { metrics, operational, description, unknown: unknown && [unknown.word, unknown.column] };
      return { ...fromNode(report), ...JSON.parse(JSON.stringify(said)) };
    }],
    score: ['resources measured', (_, s) => callsteer.score(s.resources, s.measured)],
    capacity: ['set', (d, s) => {
      const { arrivalRate, meanDuration, ...capacity } = d.node.capacity(s.set) ?? {};
      return arrivalRate === undefined ? null : capacity;
    }],
    drain_candidates: ['set count', (d, s) => d.node.drainCandidates(s.count, s.set).map(name)],
    blocking: ['erlangs slots', (_, s) => callsteer.erlang.blocking(s.erlangs, s.slots)],
    slots_for: ['erlangs target', (_, s) => callsteer.erlang.slotsFor(s.erlangs, s.target)],
    delta: ['full', (d, s) => JSON.parse(d.node.delta(s, d.now))],
    merge: ['delta', (d, s) => d.node.merge(JSON.stringify(s.delta), d.now)],
    replicas: ['', (d) => d.node.replicas().map(({ id, lost, calls }) => [id, lost, calls])],
    poll_probes: ['', (d) => d.polled('pollProbe').map(name).sort()],
    poll_events: ['', (d) => d.polled('pollEvent').map(({ kind, destination, id, lease, set, ...event }) => ({
      event: kind,
      ...fromNode(event),
      ...(id !== undefined ? { who: name({ set, id }) } : destination ? { who: name(destination) } : set && { set }),
      ...(lease && { call: d.calls.get(lease) }),
    }))],
    next_deadline: ['', (d) => seconds(d.node.nextDeadline())],
    destination_of: ['call', (d, s) => name(d.node.destinationOf(d.lease(s)))],
    call_of: ['call', (d, s) => d.calls.get(d.node.callOf(s.call)) ?? null],
    tenant_calls: ['tenant', (d, s) => d.node.tenantCalls(s.tenant)],
  };

  who({ who }) {
    return this.named.get(who) ?? assert.fail(`${who} was never there`);
  }
  lease({ call }) {
    return typeof call === 'number' ? call : (this.leases.get(call) ?? assert.fail(`${call} was never begun`));
  }
  learn(call, lease) {
    this.leases.set(call, lease);
    this.calls.set(lease, call);
  }
  polled(poll) {
    const one = this.node[poll](this.now);
    return one === null ? [] : [one, ...this.polled(poll)];
  }
}

const name = (destination) => destination && (destination.set === 1 ? '' : `${destination.set}/`) + destination.id;
const ask = ({ call, ...rest }) => ({ callId: call, ...rest });
const to = ({ destination, panic }) => (panic ? { to: name(destination), panic } : name(destination));
const reply = ({ reply, retry_after: wait }) => (wait === undefined ? reply : { reply, retryAfter: ms(wait) });
const numbers = (said) => JSON.parse(JSON.stringify(said), (_, value) => (typeof value === 'string' ? +value : value));

module.exports = { Driver, name };
