/** The comparison: every workload on every system in one run, alternating, and the results. */
import { wrapped } from '../../src/base/wrapped.ts';
import { tellLine, tellStep } from '../progress.ts';
import { shown } from '../report.ts';
import { median } from '../statistics.ts';
import type { World } from '../world.ts';
import { CELLS, cellNamed, keyCountOf, titleOf } from './cells.ts';
import type { Cell } from './cells.ts';
import type { Contender, ContenderId } from './contender.ts';
import { grpcFigures } from './grpc-rows.ts';
import type { GrpcFigures } from './grpc-rows.ts';
import type { LoadOrder } from './load/orders.ts';
import { diskBytesOf } from './process-times.ts';
import { toolRates } from './redis-benchmark.ts';
import type { ToolRates } from './redis-benchmark.ts';
import type { Field } from './roll-call.ts';
import { interleaved } from './samples.ts';
import type { Samples } from './samples.ts';
import { isInstalled } from './server-process.ts';

export interface CellResult {
  readonly cell: Cell;
  readonly samples: Samples;
}

/** Operations at a fixed rate, a share of Causeway's own measured top rate. */
export interface OpenResult {
  readonly of: 'GET' | 'SET';
  readonly share: number;
  readonly perSecond: number;
  readonly samples: Samples;
}

export interface Comparison {
  readonly cells: readonly CellResult[];
  readonly open: readonly OpenResult[];
  /** Empty if the tool is not installed. */
  readonly tool: readonly ToolRates[];
  readonly grpc: GrpcFigures;
  /** Bytes that each system has on disk after every value of 100 bytes and 1 KiB was stored once. */
  readonly diskBytes: ReadonlyMap<ContenderId, number>;
}

interface Pace {
  readonly cells: readonly Cell[];
  readonly rounds: number;
  readonly cellMs: number;
  readonly warmUpMs: number;
  readonly openMs: number;
  readonly openRounds: number;
  readonly openShares: readonly number[];
  readonly toolSeconds: number;
  readonly grpcRounds: number;
}

const QUICK: Pace = {
  cells: CELLS.filter(({ isQuick }) => isQuick),
  ...{
    rounds: 3,
    cellMs: 350,
    warmUpMs: 800,
    openMs: 600,
    openRounds: 2,
    openShares: [0.5],
    toolSeconds: 0.5,
    grpcRounds: 2,
  },
};
const WHOLE: Pace = {
  cells: CELLS,
  ...{
    rounds: 5,
    cellMs: 1_000,
    warmUpMs: 5_000,
    openMs: 3_000,
    openRounds: 3,
    openShares: [0.25, 0.5, 0.75],
    toolSeconds: 3,
    grpcRounds: 5,
  },
};
const NO_GRPC: GrpcFigures = { ours: [], bare: [], pipelinePuts: [], pipelineGets: [] };
const FILL_LANES = 256;
/** Connections, each of which takes operations that are due, in turn. */
const OPEN_LANES = 50;

/** Workloads at a steady rate: the kind, and the closed-loop workload that determines Causeway's top rate. */
const OPEN = [
  { id: 'open-get', of: 'GET', top: 'get' },
  { id: 'open-set', of: 'SET', top: 'set-512' },
] as const;
const TOOL = 'redis-benchmark';
const GRPC = 'grpc';
/** The workloads that can be selected individually. */
export const WORKLOADS: readonly string[] = [...CELLS, ...OPEN].map(({ id }) => id).concat(TOOL, GRPC);

type IsWanted = (workload: string) => boolean;

export async function compare(world: World, field: Field): Promise<Comparison> {
  const { workloads } = world.peers;
  const isWanted: IsWanted = (workload) => workloads?.includes(workload) ?? true;
  const pace = paceOf(world, isWanted);
  const { contenders } = field;
  const sizes = [...new Set(pace.cells.map(({ valueBytes }) => valueBytes))];
  const diskBytes = await fill(contenders, sizes);
  await warmUp(contenders, pace);
  const tool = isWanted(TOOL) ? await runTool(world, contenders, pace) : [];
  const cells = await closedLoops(world, contenders, pace);
  const open = await openLoops(contenders, pace, cells, isWanted);
  const { nodes } = field.causeway;
  const grpc = isWanted(GRPC) ? await grpcFigures(world, nodes, pace.grpcRounds, tellStep) : NO_GRPC;
  tellLine('');
  return { cells, open, tool, grpc, diskBytes };
}

function paceOf({ quick, peers }: World, isWanted: IsWanted): Pace {
  const pace = quick ? QUICK : WHOLE;
  const isNeeded = ({ id }: Cell): boolean =>
    isWanted(id) || OPEN.some((open) => open.top === id && isWanted(open.id));
  const rounds = peers.rounds ?? pace.rounds;
  return {
    ...pace,
    cells: (peers.workloads === undefined ? pace.cells : CELLS).filter(isNeeded),
    ...{ rounds, openRounds: peers.rounds ?? pace.openRounds, grpcRounds: peers.rounds ?? pace.grpcRounds },
  };
}

async function closedLoops(
  world: World,
  all: readonly Contender[],
  { cells, rounds, cellMs }: Pace,
): Promise<CellResult[]> {
  const results: CellResult[] = [];
  for (const cell of cells) {
    const contenders = all.filter(({ id }) => cell.systems?.includes(id) ?? true);
    const order = { ...cell, kind: 'closed', keyCount: keyCountOf(cell.valueBytes), forMs: cellMs } as const;
    const at = `workload ${results.length + 1} of ${cells.length}: ${titleOf(cell)}`;
    tellStep(at);
    const tell = (round: number, { system }: Contender): void =>
      tellLine(`${at}; round ${round + 1} of ${rounds}: ${system.name}`);
    const samples = await interleaved(contenders, rounds, () => order, tell);
    results.push({ cell, samples });
    tellLine('');
    for (const line of wrapped('  ', `${titleOf(cell)}: ${ratesLine(contenders, samples)}`, 4))
      world.tell(line);
  }
  return results;
}

function ratesLine(contenders: readonly Contender[], samples: Samples): string {
  const rate = (id: ContenderId): string => shown(median(samples.get(id)!.map((sample) => sample.rate)));
  return contenders.map(({ id, system }) => `${system.name} ${rate(id)}/s`).join('; ');
}

async function fill(
  contenders: readonly Contender[],
  sizes: readonly number[],
): Promise<Map<ContenderId, number>> {
  const diskBytes = new Map<ContenderId, number>();
  for (const { generator, system } of contenders) {
    for (const valueBytes of sizes) {
      tellStep(`filling ${system.name} with values of ${valueBytes} bytes`);
      const keyCount = keyCountOf(valueBytes);
      const { failed, fault } = await generator.order({
        kind: 'fill',
        valueBytes,
        keyCount,
        lanes: FILL_LANES,
      });
      if (failed > 0)
        throw new Error(`${system.name} did not take ${failed} of ${keyCount} values: ${fault}`);
    }
    diskBytes.set(
      system.id,
      system.directories.reduce((sum, path) => sum + diskBytesOf(path), 0),
    );
  }
  return diskBytes;
}

/** Systems that compile code while running, as most of these partly do, are slow at first. */
async function warmUp(contenders: readonly Contender[], { warmUpMs }: Pace): Promise<void> {
  for (const { generator, system } of contenders) {
    tellStep(`warming ${system.name} up`);
    const order = {
      ...cellNamed('set-32x16'),
      kind: 'closed',
      keyCount: keyCountOf(100),
      forMs: warmUpMs,
    } as const;
    await generator.order(order);
    await generator.order({ ...order, readShare: 1, forMs: warmUpMs / 2 });
  }
}

async function runTool(world: World, contenders: readonly Contender[], pace: Pace): Promise<ToolRates[]> {
  if (!isInstalled('redis-benchmark')) return [];
  const clusters = contenders.filter(({ id }) => id === 'causeway' || id === 'redis-cluster');
  return toolRates(world, clusters, pace.rounds, pace.toolSeconds, tellStep);
}

async function openLoops(
  contenders: readonly Contender[],
  pace: Pace,
  cells: readonly CellResult[],
  isWanted: IsWanted,
): Promise<OpenResult[]> {
  const results: OpenResult[] = [];
  for (const { of, top: id } of OPEN.filter(({ id }) => isWanted(id))) {
    const closed = cells.find(({ cell }) => cell.id === id)!;
    const top = median(closed.samples.get('causeway')!.map(({ rate }) => rate));
    for (const share of pace.openShares) {
      const perSecond = Math.round(top * share);
      const order: LoadOrder = {
        ...closed.cell,
        ...{ lanes: OPEN_LANES, perSecond, keyCount: keyCountOf(100), forMs: pace.openMs },
        kind: 'open',
      };
      tellStep(`at a steady ${perSecond.toLocaleString('en-US')} ${of} a second`);
      const tell = (round: number, { system }: Contender): void =>
        tellLine(`at a steady ${perSecond} ${of} a second; round ${round + 1}: ${system.name}`);
      const rounds = pace.openRounds;
      results.push({
        of,
        share,
        perSecond,
        samples: await interleaved(contenders, rounds, () => order, tell),
      });
    }
  }
  return results;
}
