/** Many operations over one stream to each node, through the client library in one process. */
import { connect } from '../src/client/index.ts';
import type { Pipeline } from '../src/client/pipeline.ts';
import { KEY_COUNT, benchKey, benchValue, randomKey } from './keys.ts';
import { startNodes } from './node-processes.ts';
import type { Measure } from './report.ts';
import { watchCores } from './statistics.ts';
import type { World } from './world.ts';

export const PUT_RATE_MIN = 15_000;
export const GET_RATE_MIN = 120_000;
const PUTS_IN_FLIGHT = 300;
const GETS_IN_FLIGHT = 1_000;

export async function pipelinePart(world: World): Promise<Measure[]> {
  const forMs = world.quick ? 2_000 : 8_000;
  const nodes = await startNodes(world, { command: 'node' });
  const clients = nodes.addresses.map((address) => connect({ nodes: [address] }));
  try {
    const pipelines = await Promise.all(clients.map((client) => client.pipeline()));
    await loadKeys(pipelines);
    await rateOf(pipelines, PUTS_IN_FLIGHT, 1_500, putOne);
    const busyPut = watchCores();
    const puts = await rateOf(pipelines, PUTS_IN_FLIGHT, forMs, putOne);
    const coresPut = busyPut();
    await rateOf(pipelines, GETS_IN_FLIGHT, 1_500, getOne);
    const cpuBefore = process.cpuUsage();
    const gets = await rateOf(pipelines, GETS_IN_FLIGHT, forMs, getOne);
    const { user, system } = process.cpuUsage(cpuBefore);
    const part = 'pipeline';
    const clientMicroseconds = (user + system) / ((gets * forMs) / 1000);
    return [
      { part, name: 'durable put', value: puts, unit: '/s', target: { atLeast: PUT_RATE_MIN } },
      { part, name: 'durable put: busy, whole machine', value: coresPut, unit: 'cores' },
      { part, name: 'get', value: gets, unit: '/s', target: { atLeast: GET_RATE_MIN } },
      { part, name: 'get: of the client', value: clientMicroseconds, unit: 'µs core' },
    ];
  } finally {
    for (const client of clients) client.close();
    await nodes.close();
  }
}

/** Writes every key once, as fast as the pipelines accept them. */
export async function loadKeys(pipelines: readonly Pipeline[]): Promise<void> {
  const writes: Promise<number>[] = [];
  for (let at = 0; at < KEY_COUNT; at += 1) {
    const pipeline = pipelines[at % pipelines.length]!;
    await pipeline.room();
    writes.push(pipeline.set(benchKey(at), benchValue()));
  }
  await Promise.all(writes);
}

type Work = (pipeline: Pipeline) => Promise<unknown>;

export const putOne: Work = (pipeline) => pipeline.set(randomKey(), benchValue());

export const getOne: Work = async (pipeline) => {
  const key = randomKey();
  if ((await pipeline.get(key)) === undefined) throw new Error(`${key} is not there`);
};

/** A closed loop of `inFlight` operations on each pipeline; returns operations per second. */
export async function rateOf(
  pipelines: readonly Pipeline[],
  inFlight: number,
  forMs: number,
  work: Work = putOne,
): Promise<number> {
  const startedAt = performance.now();
  const endAt = startedAt + forMs;
  let count = 0;
  const loops = pipelines.flatMap((pipeline) =>
    Array.from({ length: inFlight }, async () => {
      while (performance.now() < endAt) {
        await work(pipeline);
        count += 1;
      }
    }),
  );
  await Promise.all(loops);
  return (count / (performance.now() - startedAt)) * 1000;
}
