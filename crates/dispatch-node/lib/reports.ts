/** Reports of load in the forms in which bridges send them, and one score of several values. */

import { bytes, object } from './arguments';
import { toCore } from './names';
import { native } from './native';
import type { Report } from './types';

/** What a header `endpoint-load-metrics` says. */
export interface Orca {
  /** What it means as a report. */
  readonly report: Report;
  /** All metrics, by name. */
  readonly metrics: { readonly [name: string]: number };
}

/** What the line of an HAProxy agent says. */
export interface AgentCheck {
  /** What it means as a report. `operational` is not in it. */
  readonly report: Report;
  /** How the agent finds the service: feed all but `up` as a failed probe, and `up` as nothing. */
  readonly operational?: 'up' | 'down' | 'fail' | 'stopped';
  /** What stands behind the first `#`. */
  readonly description?: string;
  /** The first word that says nothing known, and its column, from 1. */
  readonly unknown?: { readonly word: string; readonly column: number };
}

/** What a FreeSWITCH says of itself in its event HEARTBEAT. A call that it bridges is two sessions. */
export interface Heartbeat {
  /** What it means as a report. */
  readonly report: Report;
  /** Sessions in progress. */
  readonly sessionCount?: number;
  /** Sessions beyond this are refused. */
  readonly maxSessions?: number;
  /** 0 to 100 percent. */
  readonly idleCpu?: number;
  /** How many more sessions it would start in the second of the event. */
  readonly sessionPerSec?: number;
  /** Sessions that it started in the second before. */
  readonly sessionPerSecLast?: number;
  /** The most sessions that it has started in a second. */
  readonly sessionPerSecMax?: number;
  /** In milliseconds. */
  readonly uptime?: number;
  /** Counts the events of one run. */
  readonly eventSequence?: number;
  /** In milliseconds since the epoch of Unix. */
  readonly eventDate?: number;
}

/** Several measured resources of a bridge, of which one score is made. */
export interface Resources {
  /** Each of them must be measured. */
  readonly resources: readonly {
    /** What its measured value is called. */
    readonly name: string;
    /** The value at which the bridge is at its capacity. */
    readonly full: number;
    /** How much it counts in `weighted_sum`. */
    readonly weight?: number;
  }[];
  /** What is made of their shares: the greatest, or their weighted mean. */
  readonly combine?: 'max' | 'weighted_sum';
}

/**
 * Reads the library's own JSON form: `{"score": 0.62, "active_calls": 12, "measured_at": 1700000000.25}`, in
 * the names and seconds of all languages.
 *
 * @throws CallsteerError `unreadable_report`, with the place
 */
export function parseReport(json: string | Uint8Array): Report {
  return native.readReport('json', bytes(json, 'json')) as Report;
}

/**
 * Reads a header `endpoint-load-metrics`: `TEXT cpu_utilization=0.3`, `JSON {...}` or `BIN ...`.
 *
 * @throws CallsteerError `unreadable_report`, with the place
 */
export function parseOrca(header: string | Uint8Array): Orca {
  return native.readReport('orca', bytes(header, 'header')) as Orca;
}

/**
 * Reads a header `endpoint-load-metrics-bin`: a protobuf message in Base64.
 *
 * @throws CallsteerError `unreadable_report`, with the place
 */
export function parseOrcaBin(header: string | Uint8Array): Orca {
  return native.readReport('orca_bin', bytes(header, 'header')) as Orca;
}

/**
 * Reads the answer of an HAProxy agent: `ready 75% maxconn:30` and an end of line.
 *
 * @throws CallsteerError `incomplete_report`: the line has not ended.
 */
export function parseAgentCheck(answer: string | Uint8Array): AgentCheck {
  return native.readReport('agent_check', bytes(answer, 'answer')) as AgentCheck;
}

/**
 * Reads a HEARTBEAT of FreeSWITCH in the format `plain`.
 *
 * @throws CallsteerError `unreadable_report`, with line and field
 */
export function parseHeartbeat(event: string | Uint8Array): Heartbeat {
  return native.readReport('heartbeat', bytes(event, 'event')) as Heartbeat;
}

/**
 * Reads a HEARTBEAT of FreeSWITCH in the format `json`.
 *
 * @throws CallsteerError `unreadable_report`, with place or field
 */
export function parseHeartbeatJson(event: string | Uint8Array): Heartbeat {
  return native.readReport('heartbeat_json', bytes(event, 'event')) as Heartbeat;
}

/**
 * One score of several measured values, each divided by its `full`.
 *
 * @throws CallsteerError `invalid_config`, `invalid_report`: the name of what is missing or cannot be
 */
export function score(resources: Resources, measured: { readonly [name: string]: number }): number {
  const configured = toCore(object(resources, 'resources'), 'resources') as object;
  return native.score(configured, object(measured, 'measured'));
}
