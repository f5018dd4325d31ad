/** The columns of `causeway top`, and which of them fit a terminal's width. */
import { bytesText, countText, lagText, msText } from './figures.ts';
import type { Palette } from './top-text.ts';
import { trendText } from './top-text.ts';
import type { Pair, TopNode } from './top-model.ts';
import type { Sort } from './top-view.ts';

export interface Column {
  readonly heading: string;
  readonly width: number;
  readonly isLeft: boolean;
  /** Columns of a lower rank are shown first. */
  readonly rank: number;
  readonly sort?: Sort;
  text(node: TopNode, width: number, isUnicode: boolean): string;
  style?(node: TopNode): Exclude<keyof Palette, 'isUnicode'>;
}

const LEASE_LOW_MS = 150;
const LAG_HIGH_MS = 1_000;
const TREND_WIDTH_MIN = 8;
const TREND_WIDTH_MAX = 30;

const ALL: readonly Column[] = [
  { heading: 'NODE', width: 10, isLeft: true, rank: 0, sort: 'name', text: ({ name }) => name },
  {
    ...{ heading: 'STATE', width: 8, isLeft: true, rank: 0, sort: 'state' },
    text: ({ state }) => state,
    style: ({ isServing, state }) => (isServing ? 'good' : state === 'silent' ? 'bad' : 'warn'),
  },
  {
    ...{ heading: 'LEASE', width: 5, isLeft: false, rank: 3 },
    text: ({ leaseLeftMs, fault }) => (fault === '' ? String(leaseLeftMs) : '-'),
    style: ({ leaseLeftMs }) => (leaseLeftMs < LEASE_LOW_MS ? 'warn' : 'dim'),
  },
  { heading: 'EPOCH', width: 5, isLeft: false, rank: 5, text: known(({ epoch }) => String(epoch)) },
  {
    ...{ heading: 'READS/S', width: 8, isLeft: false, rank: 1, sort: 'reads' },
    text: known(({ readsPerSecond }) => countText(readsPerSecond)),
  },
  {
    ...{ heading: 'WRITES/S', width: 9, isLeft: false, rank: 1, sort: 'writes' },
    text: known(({ writesPerSecond }) => countText(writesPerSecond)),
  },
  { heading: 'READ MS', width: 9, isLeft: false, rank: 7, text: ({ readMs }) => pairText(readMs) },
  {
    heading: 'WRITE MS',
    width: 9,
    isLeft: false,
    rank: 2,
    sort: 'p99',
    text: ({ writeMs }) => pairText(writeMs),
  },
  {
    ...{ heading: 'PG LAG', width: 7, isLeft: false, rank: 4, sort: 'lag' },
    text: known(({ lagMs, postgres }) => (postgres === 'up' ? lagText(lagMs) : postgres)),
    style: ({ lagMs, postgres }) => (postgres === 'down' ? 'bad' : lagMs > LAG_HIGH_MS ? 'warn' : 'dim'),
  },
  {
    ...{ heading: 'LEGACY', width: 12, isLeft: false, rank: 8 },
    text: known(({ legacy, legacyPerSecond, legacyInFlight, legacyMax }) =>
      legacyMax === 0 ? legacy : `${countText(legacyPerSecond)}/s ${legacyInFlight}/${legacyMax}`,
    ),
    style: ({ legacy }) => (legacy === 'open' ? 'bad' : legacy === 'failing' ? 'warn' : 'dim'),
  },
  { heading: 'KEYS', width: 8, isLeft: false, rank: 9, text: known(({ keysHeld }) => countText(keysHeld)) },
  {
    ...{ heading: 'CPU', width: 5, isLeft: false, rank: 10 },
    text: known(({ cpuShare }) => `${Math.round(cpuShare * 100)}%`),
  },
  {
    heading: 'MEMORY',
    width: 7,
    isLeft: false,
    rank: 11,
    text: known(({ residentBytes }) => bytesText(residentBytes)),
  },
  {
    ...{ heading: 'TREND', width: TREND_WIDTH_MIN, isLeft: true, rank: 6 },
    text: ({ trend }, width, isUnicode) => trendText(trend, width, isUnicode),
    style: () => 'good',
  },
];

/** As many columns as fit, the most important ones first, in their own order; the remaining width goes to the trend. */
export function shownColumns(width: number): Column[] {
  const chosen = new Set<Column>();
  let used = 0;
  for (const column of [...ALL].sort((a, b) => a.rank - b.rank)) {
    if (used + column.width + 1 > width) break;
    chosen.add(column);
    used += column.width + 1;
  }
  const left = width - used;
  return ALL.filter((column) => chosen.has(column)).map((column) =>
    column.heading === 'TREND'
      ? { ...column, width: Math.min(TREND_WIDTH_MAX, column.width + left) }
      : column,
  );
}

export function pairText(pair: Pair | null): string {
  return pair === null ? '-' : `${msText(pair.p50)}/${msText(pair.p99)}`;
}

function known(text: (node: TopNode) => string): (node: TopNode) => string {
  return (node) => (node.fault === '' ? text(node) : '-');
}
