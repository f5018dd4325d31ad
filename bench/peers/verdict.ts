/** The table of targets: each row is a ratio within this run, next to its target. */
import { GET_RATE_MIN, PUT_RATE_MIN } from '../pipeline-part.ts';
import { shown } from '../report.ts';
import type { Measure } from '../report.ts';
import { median } from '../statistics.ts';
import type { Comparison } from './comparison.ts';
import type { ContenderId } from './contender.ts';
import { ratioOf, ratioText } from './ratio.ts';
import type { Ratio } from './ratio.ts';

export interface Row {
  readonly work: string;
  readonly beside: string;
  readonly target: NonNullable<Measure['target']>;
  readonly aim: number | null;
  /** Undefined if the other system is not on this machine, or does not keep up. */
  readonly ratio: Ratio | undefined;
  /** Describes the figures behind the ratio. */
  readonly figures: string;
}

const FIRST_ISSUE = 1.3;
/** A system that answers a smaller share than this falls further and further behind. */
export const KEEPS_UP_SHARE = 0.97;

/**
 * If a team pointed its program at Causeway instead of writing to both by hand: with a single connection as it has
 * there, or with one to each node, which survives the death of a node.
 */
const PLAIN_PROGRAM = 'durable SET by one program with one ioredis connection, 512 in flight';
const PROGRAM = 'durable SET by one program with ioredis as a cluster client, 512 in flight';
const CLIENTS = 'durable SET by 512 clients with one in flight each';
const BY_HAND = 'ioredis + pg by hand, one program';
const BY_ROWS = 'PostgreSQL alone, single rows, one program';

/** Workload, compared with whom, our system, theirs, in which cell, the minimum, and the goal. */
const DURABLE: readonly (readonly [string, string, ContenderId, ContenderId, string, number, number])[] = [
  [PLAIN_PROGRAM, BY_HAND, 'causeway', 'hand-written', 'set-512-plain-program', 2, 3],
  [PROGRAM, BY_HAND, 'causeway', 'hand-written', 'set-512-program', 2, 3],
  [CLIENTS, BY_HAND, 'causeway', 'hand-written', 'set-512', 2, 3],
  [PROGRAM, BY_ROWS, 'causeway', 'postgres-rows', 'set-512-program', 0.9, 1.3],
  [CLIENTS, BY_ROWS, 'causeway', 'postgres-rows', 'set-512', 0.9, 1.3],
  ['durable SET on three disks, pipeline 16', 'etcd of three', 'causeway-disks', 'etcd', 'set-32x16', 6, 8],
  [
    'durable SET on three disks, pipeline 16',
    'Redis alone, AOF always',
    'causeway-disks',
    'redis',
    'set-32x16',
    0.07,
    0.1,
  ],
];

export function verdict(comparison: Comparison): Row[] {
  const { tool, grpc } = comparison;
  const rows: Row[] = [1, 16].map((pipeline) => toolRow(tool, pipeline));
  for (const [work, beside, ours, theirs, cell, atLeast, aim] of DURABLE) {
    const rates = (id: ContenderId) => ratesOf(comparison, cell, id);
    rows.push({ work, beside, target: { atLeast }, aim, ...pair(rates(ours), rates(theirs), '/s') });
  }
  rows.push({
    ...{
      work: 'gRPC unary Get, servers per call',
      beside: 'bare grpc-js',
      target: { atMost: 1.25 },
      aim: null,
    },
    ...pair(grpc.ours, grpc.bare, ' µs'),
  });
  for (const [work, rates, figure] of [
    ['gRPC Pipeline, durable puts', grpc.pipelinePuts, PUT_RATE_MIN],
    ['gRPC Pipeline, gets', grpc.pipelineGets, GET_RATE_MIN],
  ] as const) {
    const then = rates.map(() => figure);
    rows.push({
      work,
      beside: 'the first figures asked for',
      target: { atLeast: FIRST_ISSUE },
      aim: null,
      ...pair(rates, then, '/s'),
    });
  }
  return [...rows, latencyRow(comparison)];
}

/** In the same form as the measures of the other parts. */
export function measuresOf(rows: readonly Row[]): Measure[] {
  return rows.flatMap(({ work, beside, target, ratio, figures }) => {
    if (ratio === undefined) return [];
    const note = `(${ratioText(ratio)}; ${figures})`;
    return [{ part: 'peers', name: `${work} / ${beside}`, value: ratio.median, unit: 'x', target, note }];
  });
}

function toolRow(tool: Comparison['tool'], pipeline: number): Row {
  const rates = tool.find((one) => one.pipeline === pipeline)?.rates ?? [];
  const of = (id: ContenderId): number[] => rates.find(([{ id: one }]) => one === id)?.[1] ?? [];
  return {
    work: `GET, redis-benchmark, 50 clients, ${pipeline === 1 ? 'no pipeline' : `pipeline ${pipeline}`}`,
    ...{ beside: 'Redis Cluster of three', target: { atLeast: pipeline === 1 ? 0.55 : 0.5 }, aim: null },
    ...pair(of('causeway'), of('redis-cluster'), '/s'),
  };
}

function latencyRow({ open }: Comparison): Row {
  const half = open.find(({ of, share }) => of === 'GET' && share === 0.5);
  const times = (id: ContenderId): number[] => {
    const samples = half?.samples.get(id) ?? [];
    const keepsUp = samples.every(({ rate }) => rate >= KEEPS_UP_SHARE * half!.perSecond);
    return keepsUp ? samples.map(({ p99 }) => p99) : [];
  };
  return {
    ...{
      work: 'p99 of GET at half the top rate',
      beside: 'Redis Cluster of three',
      target: { atMost: 2 },
      aim: null,
    },
    ...pair(times('causeway'), times('redis-cluster'), ' ms'),
  };
}

function ratesOf({ cells }: Comparison, id: string, contender: ContenderId): number[] {
  const found = cells.find(({ cell }) => cell.id === id);
  return (found?.samples.get(contender) ?? []).map(({ rate }) => rate);
}

function pair(
  ours: readonly number[],
  theirs: readonly number[],
  unit: string,
): Pick<Row, 'ratio' | 'figures'> {
  const ratio = ratioOf(ours, theirs);
  if (ratio === undefined) return { ratio, figures: '' };
  return { ratio, figures: `${shown(median(ours))}${unit} to ${shown(median(theirs))}${unit}` };
}
