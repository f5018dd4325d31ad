/**
 * The gRPC door: the server's cost of a unary read compared with a bare server, and the pipeline compared with the
 * figures of the first issue.
 */
import { connect } from '../../src/client/index.ts';
import { clientsOf, get, run, set, startBare } from '../grpc-part.ts';
import { KEY_COUNT } from '../keys.ts';
import type { NodeProcesses } from '../node-processes.ts';
import { getOne, putOne, rateOf } from '../pipeline-part.ts';
import type { World } from '../world.ts';
import { cpuMsOf } from './process-times.ts';

const IN_FLIGHT_PUTS = 300;
const IN_FLIGHT_GETS = 1_000;
const SLICE_MS = 1_200;

export interface GrpcFigures {
  /** CPU microseconds of the servers per call, round by round. */
  readonly ours: readonly number[];
  readonly bare: readonly number[];
  /** Per second, through the client library. */
  readonly pipelinePuts: readonly number[];
  readonly pipelineGets: readonly number[];
}

export async function grpcFigures(
  world: World,
  nodes: NodeProcesses,
  rounds: number,
  tell: (text: string) => void,
): Promise<GrpcFigures> {
  const bare = await startBare(world);
  const ours = clientsOf(nodes.addresses);
  const theirs = clientsOf(bare.addresses);
  const sides = [
    { clients: ours, pids: nodes.pids, micros: [] as number[] },
    { clients: theirs, pids: bare.pids, micros: [] as number[] },
  ];
  try {
    tell('gRPC: filling');
    await run(ours, set);
    for (const address of bare.addresses) await run(clientsOf([address]), set);
    for (const { clients } of sides) await run(clients, get);
    for (let round = 0; round < rounds; round += 1) {
      tell(`gRPC: unary reads, round ${round + 1} of ${rounds}`);
      for (let each = 0; each < sides.length; each += 1) {
        const { clients, pids, micros } = sides[(each + round) % sides.length]!;
        const before = cpuMsOf(pids);
        await run(clients, get);
        micros.push(((cpuMsOf(pids) - before) * 1000) / KEY_COUNT);
      }
    }
  } finally {
    for (const client of [...ours, ...theirs]) client.close();
    bare.close();
  }
  return { ours: sides[0]!.micros, bare: sides[1]!.micros, ...(await pipelineRates(nodes, rounds, tell)) };
}

async function pipelineRates(nodes: NodeProcesses, rounds: number, tell: (text: string) => void) {
  const clients = nodes.addresses.map((address) => connect({ nodes: [address] }));
  const pipelinePuts: number[] = [];
  const pipelineGets: number[] = [];
  try {
    const pipelines = await Promise.all(clients.map((client) => client.pipeline()));
    tell('gRPC: warming the pipeline up');
    await rateOf(pipelines, IN_FLIGHT_PUTS, SLICE_MS, putOne);
    await rateOf(pipelines, IN_FLIGHT_GETS, SLICE_MS, getOne);
    for (let round = 0; round < rounds; round += 1) {
      tell(`gRPC: pipeline, round ${round + 1} of ${rounds}`);
      pipelinePuts.push(await rateOf(pipelines, IN_FLIGHT_PUTS, SLICE_MS, putOne));
      pipelineGets.push(await rateOf(pipelines, IN_FLIGHT_GETS, SLICE_MS, getOne));
    }
  } finally {
    for (const client of clients) client.close();
  }
  return { pipelinePuts, pipelineGets };
}
