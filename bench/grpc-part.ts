/**
 * The benchmark of the first system: 50 clients over three nodes set 10,000 keys, then get them. In the same run,
 * alternating, the same clients use three bare servers: the ratio is the cost that Causeway adds to a read.
 */
import { fork } from 'node:child_process';
import { Client, credentials } from '@grpc/grpc-js';
import { cache } from '../src/gen/protocol.js';
import type { MessageType } from '../src/gen/protocol.js';
import { KEY_COUNT, benchKey, benchValue } from './keys.ts';
import { startNodes } from './node-processes.ts';
import type { Measure } from './report.ts';
import { median } from './statistics.ts';
import { freePorts } from './world.ts';
import type { World } from './world.ts';

const CLIENT_COUNT = 50;
const SET_RATE_MIN = 4_000;
const GET_SHARE_MIN = 0.85;
const CALL_TIMEOUT_MS = 10_000;

type Work = (client: Client, index: number) => Promise<void>;

export async function grpcPart(world: World): Promise<Measure[]> {
  const rounds = world.quick ? 3 : 9;
  const nodes = await startNodes(world, { command: 'node' });
  const bare = await startBare(world);
  const ours = clientsOf(nodes.addresses);
  const theirs = clientsOf(bare.addresses);
  const rates = {
    setOurs: [] as number[],
    setBare: [] as number[],
    getOurs: [] as number[],
    getBare: [] as number[],
  };
  try {
    await run(ours, set);
    // Bare servers know nothing of each other, so each is given all keys.
    for (const address of bare.addresses) await run(clientsOf([address]), set);
    for (const clients of [ours, theirs]) await run(clients, get);
    for (let round = 0; round < rounds; round += 1) {
      rates.setOurs.push(await run(ours, set));
      rates.setBare.push(await run(theirs, set));
      // The order alternates, so that the after-effects of one do not always fall on the same other one.
      for (const name of round % 2 === 0
        ? (['getOurs', 'getBare'] as const)
        : (['getBare', 'getOurs'] as const))
        rates[name].push(await run(name === 'getOurs' ? ours : theirs, get));
    }
  } finally {
    for (const client of [...ours, ...theirs]) client.close();
    bare.close();
    await nodes.close();
  }
  const part = 'grpc';
  const share = median(rates.getOurs) / median(rates.getBare);
  return [
    {
      part,
      name: 'Set, durable',
      value: median(rates.setOurs),
      unit: '/s',
      target: { atLeast: SET_RATE_MIN },
    },
    { part, name: 'Set, bare server', value: median(rates.setBare), unit: '/s' },
    { part, name: 'Get', value: median(rates.getOurs), unit: '/s' },
    { part, name: 'Get, bare server', value: median(rates.getBare), unit: '/s' },
    {
      part,
      name: 'Get, share of the bare server',
      value: share,
      unit: '',
      target: { atLeast: GET_SHARE_MIN },
    },
  ];
}

export function clientsOf(addresses: readonly string[]): Client[] {
  return Array.from(
    { length: CLIENT_COUNT },
    (_, index) => new Client(addresses[index % addresses.length]!, credentials.createInsecure()),
  );
}

/** Processes all keys once, each client taking the next as soon as it is free; returns keys per second. */
export async function run(clients: readonly Client[], work: Work): Promise<number> {
  let next = 0;
  const startedAt = performance.now();
  await Promise.all(
    clients.map(async (client) => {
      while (next < KEY_COUNT) await work(client, next++);
    }),
  );
  return (KEY_COUNT / (performance.now() - startedAt)) * 1000;
}

export const set: Work = async (client, index) => {
  const request = { key: benchKey(index), value: benchValue() };
  await call(client, '/cache.CacheService/Set', cache.SetRequest, cache.SetResponse, request);
};

export const get: Work = async (client, index) => {
  const { GetRequest, GetResponse } = cache;
  const answer = await call(client, '/cache.CacheService/Get', GetRequest, GetResponse, {
    key: benchKey(index),
  });
  if (!answer.found || answer.value.length === 0) throw new Error(`${benchKey(index)} is not there`);
};

function call<Fields, Answer>(
  client: Client,
  path: string,
  requestType: MessageType<unknown, Fields>,
  answerType: MessageType<Answer, never>,
  request: Fields,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      path,
      (fields: Fields) => requestType.encode(fields).finish() as Buffer,
      (bytes: Buffer) => answerType.decode(bytes),
      request,
      { deadline: Date.now() + CALL_TIMEOUT_MS },
      (error, answer) => (error === null ? resolve(answer!) : reject(error)),
    );
  });
}

export interface BareServers {
  readonly addresses: string[];
  readonly pids: number[];
  readonly close: () => void;
}

export async function startBare(world: World): Promise<BareServers> {
  const ports = await freePorts(3);
  const children = ports.map((port) => fork(world.entry, ['bare-node', String(port)], { execArgv: [] }));
  await Promise.all(children.map((child) => new Promise((resolve) => child.once('message', resolve))));
  return {
    addresses: ports.map((port) => `127.0.0.1:${port}`),
    pids: children.map(({ pid }) => pid!),
    close: () => {
      for (const child of children) child.kill('SIGKILL');
    },
  };
}
