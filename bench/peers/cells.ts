/**
 * The workloads that all systems run. Every combination of value size, concurrency, number of keys and mix would take
 * hours, so each is varied separately from one middle: 100 bytes, 50 in flight, uniform keys.
 */
import type { ContenderId } from './contender.ts';
import type { Spread } from './load/key-choice.ts';
import type { Through } from './load/orders.ts';

export interface Cell {
  readonly id: string;
  /** Number of clients, and how many operations each sends at once. */
  readonly lanes: number;
  readonly pipeline: number;
  readonly readShare: number;
  readonly valueBytes: number;
  readonly spread: Spread;
  readonly through: Through;
  /** Undefined means all systems. */
  readonly systems?: readonly ContenderId[];
  /** Also run if the whole comparison is to take only minutes. */
  readonly isQuick: boolean;
}

const MIDDLE = {
  lanes: 50,
  pipeline: 1,
  readShare: 1,
  valueBytes: 100,
  spread: 'uniform',
  through: 'sockets',
  isQuick: false,
} as const;

/**
 * The load of one program, like the hand-written write-through: the same Redis client, with as many operations in
 * flight.
 */
const OF_ONE_PROGRAM = { ...MIDDLE, readShare: 0, lanes: 512, isQuick: true } as const;

/** Number of keys for each value size. */
export function keyCountOf(valueBytes: number): number {
  return valueBytes > 4_096 ? 1_000 : 10_000;
}

export const CELLS: readonly Cell[] = [
  { ...MIDDLE, id: 'get', isQuick: true },
  { ...MIDDLE, id: 'mix-95', readShare: 0.95, isQuick: true },
  { ...MIDDLE, id: 'mix-50', readShare: 0.5 },
  { ...MIDDLE, id: 'set', readShare: 0 },
  { ...MIDDLE, id: 'get-1', lanes: 1 },
  { ...MIDDLE, id: 'get-512', lanes: 512 },
  { ...MIDDLE, id: 'get-50x16', pipeline: 16 },
  { ...MIDDLE, id: 'set-1', readShare: 0, lanes: 1 },
  { ...MIDDLE, id: 'set-512', readShare: 0, lanes: 512, isQuick: true },
  {
    ...{ ...OF_ONE_PROGRAM, id: 'set-512-program', through: 'program' },
    systems: ['causeway', 'redis-cluster', 'postgres-rows', 'hand-written'],
  },
  {
    ...{ ...OF_ONE_PROGRAM, id: 'set-512-plain-program', through: 'plain-program' },
    systems: ['causeway', 'redis', 'hand-written'],
  },
  { ...MIDDLE, id: 'set-32x16', readShare: 0, lanes: 32, pipeline: 16, isQuick: true },
  { ...MIDDLE, id: 'mix-95-zipf', readShare: 0.95, spread: 'zipf' },
  { ...MIDDLE, id: 'mix-50-zipf', readShare: 0.5, spread: 'zipf', isQuick: true },
  { ...MIDDLE, id: 'mix-95-1k', readShare: 0.95, valueBytes: 1_024, isQuick: true },
  { ...MIDDLE, id: 'mix-50-1k', readShare: 0.5, valueBytes: 1_024 },
  { ...MIDDLE, id: 'mix-95-16k', readShare: 0.95, valueBytes: 16_384 },
  { ...MIDDLE, id: 'mix-50-16k', readShare: 0.5, valueBytes: 16_384 },
];

export function cellNamed(id: string): Cell {
  return CELLS.find((cell) => cell.id === id)!;
}

export function titleOf(cell: Cell): string {
  return `${mixOf(cell)}, ${sizeOf(cell)}, ${shapeOf(cell)}, keys ${cell.spread === 'zipf' ? 'by Zipf' : 'alike'}`;
}

export function mixOf({ readShare }: Cell): string {
  const reads = Math.round(readShare * 100);
  if (reads === 100) return 'GET alone';
  return reads === 0 ? 'SET alone' : `${reads} % GET`;
}

export function sizeOf({ valueBytes }: Cell): string {
  return valueBytes < 1_024 ? `${valueBytes} B` : `${valueBytes / 1_024} KiB`;
}

export function shapeOf({ lanes, pipeline, through }: Cell): string {
  if (through !== 'sockets') {
    const client =
      through === 'program' ? 'ioredis, a connection to each node' : 'ioredis, a connection to one node';
    return `one program, ${client}, ${lanes} in flight`;
  }
  const clients = lanes === 1 ? '1 client' : `${lanes} clients`;
  return pipeline === 1 ? clients : `${clients} x pipeline of ${pipeline}`;
}
