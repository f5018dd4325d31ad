/**
 * What `causeway top` shows, computed from the nodes' present and previous statuses. Read defensively: a node may be of
 * another version, or not answer at all.
 */
import { nameOf } from './every-node.ts';
import type { Told } from './every-node.ts';
import { asFacts, isServing, membersOf, numberOrNull, stateOf, word } from './facts.ts';
import type { Facts } from './facts.ts';
import { remarkLines } from './status.ts';

export interface TopNode {
  readonly name: string;
  readonly address: string;
  /** For example "serving", "no lease" or "learning"; "silent" if it does not answer. */
  readonly state: string;
  readonly isServing: boolean;
  readonly leaseLeftMs: number;
  readonly epoch: number;
  readonly readsPerSecond: number;
  readonly writesPerSecond: number;
  readonly failuresPerSecond: number;
  readonly refusedPerSecond: number;
  readonly readMs: Pair | null;
  readonly writeMs: Pair | null;
  readonly stagesMs: Readonly<Record<string, Pair | null>>;
  readonly syncMs: Pair | null;
  readonly commitMs: Pair | null;
  readonly loopMs: Pair | null;
  readonly postgres: string;
  /** Milliseconds since the oldest write that PostgreSQL lacks. */
  readonly lagMs: number;
  readonly rowsPerSecond: number;
  readonly rowsWaiting: number;
  readonly legacy: string;
  readonly legacyPerSecond: number;
  readonly legacyFailuresPerSecond: number;
  readonly legacyInFlight: number;
  readonly legacyMax: number;
  readonly legacyRetriesLeft: number;
  readonly cacheHitShare: number | null;
  readonly keysHeld: number;
  readonly keysInFlight: number;
  readonly cpuShare: number;
  readonly residentBytes: number;
  readonly uptimeMs: number;
  readonly slots: number;
  readonly copy: Copying | null;
  /** Recent operations per second, the newest last. */
  readonly trend: readonly number[];
  /** Why the node does not answer, if it does not. */
  readonly fault: string;
}

export interface Pair {
  readonly p50: number;
  readonly p99: number;
}

export interface Copying {
  readonly done: number;
  readonly total: number;
  readonly bytesPerSecond: number;
  readonly secondsLeft: number | null;
}

export interface TopModel {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly clusterId: string;
  readonly epoch: number;
  readonly nodes: readonly TopNode[];
  readonly trend: readonly number[];
  readonly slotsMoving: number;
  readonly slotsLost: number;
  /** Remarks that are news, as in `causeway status`. */
  readonly remarks: readonly string[];
}

const TREND_LENGTH = 60;

/** `before` is the model of the previous look. */
export function nextModel(before: TopModel | null, told: readonly Told[], at: number): TopModel {
  const nodes = told.map((each) => {
    const earlier = before?.nodes.find((node) => node.name === nameOf(each));
    return nodeOf(each, earlier?.trend ?? []);
  });
  const statuses = told.flatMap((each) => ('status' in each ? [each.status] : []));
  const first = statuses.find((status) => status['leaseHeld'] === true) ?? statuses[0] ?? {};
  const total = nodes.reduce((sum, node) => sum + node.readsPerSecond + node.writesPerSecond, 0);
  return {
    at,
    clusterId: statuses.length === 0 ? (before?.clusterId ?? '') : textOf(first['clusterId']),
    epoch: Math.max(0, ...nodes.map(({ epoch }) => epoch)),
    nodes,
    trend: grown(before?.trend ?? [], total),
    slotsMoving: numberOf(first['slotsMoving']),
    slotsLost: numberOf(first['slotsLost']),
    remarks: remarkLines(told, true),
  };
}

function nodeOf(told: Told, trend: readonly number[]): TopNode {
  if ('status' in told) return answering(told.address, told.status, trend);
  const { address, name, fault } = told;
  return { ...answering(address, {}, trend), name, state: 'silent', fault };
}

function answering(address: string, status: Facts, trend: readonly number[]): TopNode {
  const recent = asFacts(status['recent']);
  const rates = asFacts(recent['perSecond']);
  const readsPerSecond = numberOf(rates['reads']);
  const writesPerSecond = numberOf(rates['writes']);
  const self = membersOf(status).find((member) => member['name'] === status['name']);
  return {
    name: word(status['name']),
    address,
    state: stateOf(status),
    isServing: isServing(status),
    leaseLeftMs: numberOf(status['leaseLeftMs']),
    epoch: numberOf(status['epoch']),
    ...{ readsPerSecond, writesPerSecond, failuresPerSecond: numberOf(rates['failures']) },
    refusedPerSecond: numberOf(rates['refused']),
    readMs: pairOf(recent['readMs']),
    writeMs: pairOf(recent['writeMs']),
    stagesMs: Object.fromEntries(
      Object.entries(asFacts(recent['stagesMs'])).map(([stage, quantiles]) => [stage, pairOf(quantiles)]),
    ),
    loopMs: pairOf(recent['eventLoopDelayMs']),
    ...outsideOf(status, recent),
    keysHeld: numberOf(status['keysHeld']),
    keysInFlight: numberOf(status['keysInFlight']),
    cpuShare: numberOf(recent['cpuShare']),
    residentBytes: numberOf(asFacts(recent['memory'])['residentBytes']),
    uptimeMs: numberOf(recent['uptimeMs']),
    slots: numberOf(self?.['slotsComplete']),
    copy: copyingOf(status),
    trend: grown(trend, readsPerSecond + writesPerSecond),
    fault: '',
  };
}

/** Its store, PostgreSQL and the legacy API, as the node sees them. */
function outsideOf(
  status: Facts,
  recent: Facts,
): Pick<
  TopNode,
  | 'syncMs'
  | 'cacheHitShare'
  | 'commitMs'
  | 'postgres'
  | 'lagMs'
  | 'rowsPerSecond'
  | 'rowsWaiting'
  | 'legacy'
  | 'legacyPerSecond'
  | 'legacyFailuresPerSecond'
  | 'legacyInFlight'
  | 'legacyMax'
  | 'legacyRetriesLeft'
> {
  const store = asFacts(recent['store']);
  const record = asFacts(recent['record']);
  const legacy = asFacts(recent['legacy']);
  const spool = asFacts(status['spool']);
  return {
    syncMs: pairOf(store['syncMs']),
    cacheHitShare: numberOrNull(store['cacheHitShare']),
    commitMs: pairOf(record['commitMs']),
    postgres: word(asFacts(status['record'])['state']),
    // A spooled write waits for PostgreSQL like one that is about to be written.
    lagMs: Math.max(numberOf(record['oldestUnflushedMs']), numberOf(spool['oldestMs'])),
    rowsPerSecond: numberOf(record['rowsPerSecond']) + numberOf(spool['drainedPerSecond']),
    rowsWaiting: numberOf(record['rowsWaiting']) + numberOf(spool['entries']),
    legacy: word(asFacts(status['legacy'])['state']),
    legacyPerSecond: numberOf(legacy['callsPerSecond']),
    legacyFailuresPerSecond: numberOf(legacy['failuresPerSecond']),
    legacyInFlight: numberOf(legacy['inFlight']),
    legacyMax: numberOf(legacy['concurrencyMax']),
    legacyRetriesLeft: numberOf(legacy['retriesLeft']),
  };
}

function copyingOf(status: Facts): Copying | null {
  const copy = asFacts(status['copy']);
  const total = numberOf(copy['slotsTotal']);
  if (total > 0)
    return {
      ...{ done: numberOf(copy['slotsDone']), total, bytesPerSecond: numberOf(copy['bytesPerSecond']) },
      secondsLeft: numberOrNull(copy['secondsLeft']),
    };
  if (status['phase'] !== 'learning') return null;
  return {
    done: Math.floor(numberOf(status['learnedShare']) * 100),
    total: 100,
    bytesPerSecond: 0,
    secondsLeft: null,
  };
}

function pairOf(value: unknown): Pair | null {
  const { p50, p99 } = asFacts(value);
  return typeof p50 === 'number' && typeof p99 === 'number' ? { p50, p99 } : null;
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function grown(trend: readonly number[], value: number): number[] {
  return [...trend, value].slice(-TREND_LENGTH);
}
