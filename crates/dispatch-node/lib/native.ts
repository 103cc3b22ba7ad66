/** Finds the native part, and says what it consists of. */

import type { Report } from './types';

/** @internal Numbers exchanged with the native part: in `NOW` and `LEASE`, out all but `NOW`. */
export const NOW = 0;
/** @internal */
export const LEASE = 1;
/** @internal The key of a destination. */
export const DESTINATION = 2;
/** @internal Where that destination is cached. */
export const INDEX = 3;
/** @internal Whether health was ignored, a call was in progress ... */
export const FLAG = 4;
/** @internal How many numbers there are. */
export const EXCHANGED = 5;

/** @internal The raw functions of one dispatcher. */
export interface Functions {
  readonly empty: () => void;
  readonly begin: (callId: string | Uint8Array) => void;
  readonly beginCall: CallFunction;
  readonly beginMany: (callIds: readonly (string | Uint8Array)[], places: Float64Array, errors: unknown[]) => void;
  readonly pick: (callId: string | Uint8Array) => void;
  readonly pickCall: CallFunction;
  readonly confirm: () => void;
  readonly confirmCall: (callId: string | Uint8Array) => void;
  readonly end: () => void;
  readonly endCall: (callId: string | Uint8Array) => void;
}

/** @internal A raw function that takes everything that can be said of a call. */
export type CallFunction = (
  callId: string | Uint8Array,
  set: number | undefined,
  key: string | Uint8Array | undefined,
  class_: string | undefined,
  cost: number | undefined,
  tenant: string | undefined,
) => void;

/** @internal A dispatcher. */
export interface Native {
  functions(): Functions;
  dispose(): void;
  add(set: number, said: object, now: number): number;
  update(who: number, said: object, now: number): void;
  remove(who: number, now: number): void;
  setEnabled(who: number, enabled: boolean, now: number): void;
  drain(who: number, deadline: number | undefined, now: number): void;
  plan(list: readonly (readonly [number, object])[]): NativePlan;
  apply(plan: NativePlan, now: number): void;
  next(which: number | Uint8Array, now: number): void;
  fail(which: number | Uint8Array, reply: number, retryAfter: number | undefined, now: number): string;
  probeResult(who: number, reply: number, retryAfter: number | undefined, now: number): void;
  report(who: number, said: object, now: number): void;
  reconcile(who: number, there: number | Uint8Array[], now: number): unknown;
  delta(full: boolean, now: number): string | null;
  merge(delta: string, now: number): boolean;
  takeOver(
    who: number,
    callId: Uint8Array,
    set: number | undefined,
    key: Uint8Array | undefined,
    class_: string | undefined,
    cost: number | undefined,
    tenant: string | undefined,
    now: number,
  ): number;
  pollProbe(now: number): number | null;
  pollEvent(now: number): Record<string, unknown> | null;
  nextDeadline(): number | null;
  config(): object;
  sets(): number[];
  find(set: number, id: string): number | null;
  destination(who: number): Record<string, unknown> | null;
  destinationOf(lease: number): number | null;
  callOf(callId: Uint8Array): number | null;
  status(who: number): unknown;
  stats(): object;
  replicas(): unknown[];
  tenantCalls(tenant: string): number;
  keys(): number[];
  explain(
    callId: Uint8Array,
    set: number | undefined,
    key: Uint8Array | undefined,
    class_: string | undefined,
    cost: number | undefined,
    tenant: string | undefined,
  ): { destination: number | null; refused: unknown; rows: Record<string, unknown>[] };
  capacity(set: number): unknown;
  drainCandidates(set: number, count: number): number[];
  prometheus(): string;
  resume(away: number | undefined, now: number): void;
  snapshot(): Uint8Array;
  snapshotJson(): string;
}

/** @internal What a new list would change. */
export interface NativePlan {
  said(): { changes: object[]; kept: number; text: string };
}

/** @internal A dispatcher.list. */
export interface NativeList {
  push(set: number, said: object): void;
  update(set: number, said: object): void;
  remove(set: number, id: string): boolean;
  entries(): object[];
  skipped(): object[];
  lint(): object[];
  write(): Uint8Array;
}

interface Binding {
  readonly Native: {
    new (config: object, exchange: Float64Array): Native;
    restore(data: string | Uint8Array, exchange: Float64Array): Native;
  };
  readonly NativeList: new (file: Uint8Array, lenient: boolean) => NativeList;
  setErrorFactory(factory: (code: string, message: string, details: unknown) => Error): void;
  codes(): Record<string, string>;
  listCodes(): Record<string, string>;
  metricTable(): { name: string; help: string; kind: string; labels: string[] }[];
  readConfig(json: Uint8Array): object;
  readReport(form: string, text: Uint8Array): { report?: Report };
  score(resources: object, measured: object): number;
  blocking(erlangs: number, slots: number): number;
  slotsFor(erlangs: number, target: number): number | null;
  erlangsFor(slots: number, target: number): number | null;
  highestUtilisation(slots: number, target: number): number | null;
  algorithmFromKamailio(number: number): unknown;
}

/** @internal The native part. */
export const native: Binding = load();

/** One that was built here, else that of the package for this platform. */
function load(): Binding {
  let cause: unknown;
  for (const find of [() => '../callsteer.node', () => `callsteer-${platform()}`]) {
    try {
      return require(find()) as Binding;
    } catch (error) {
      cause ??= error;
    }
  }
  throw new Error(`callsteer has no native part for ${platform()}; with Rust, "npm run build" makes one`, { cause });
}

/** As napi-rs names it: with the C library where there are several. */
function platform(): string {
  const abi = { linux: isMusl() ? '-musl' : '-gnu', win32: '-msvc' }[process.platform as string] ?? '';
  return `${process.platform}-${process.arch}${abi}`;
}

function isMusl(): boolean {
  if (process.platform !== 'linux') {
    return false;
  }
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined;
}
