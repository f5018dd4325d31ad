/**
 * A node is killed between PostgreSQL's commit and the answer: the write has happened, and no client may be told that
 * it has not. Checked for every door, and for a node that had forwarded the write.
 */
import { Client, credentials } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { CausewayError } from '../../src/client/causeway-error.ts';
import { causeway } from '../../src/gen/protocol.js';
import { startCluster } from '../support/cluster.ts';
import type { TestCluster, TestNode } from '../support/cluster.ts';
import { CallError, call } from '../support/grpc-call.ts';
import { PostgresProxy } from '../support/postgres-proxy.ts';
import { buildProgram, runProgram, until } from '../support/supervisor-program.ts';

const KEYS_AT_ONCE = 60;

let program: Awaited<ReturnType<typeof buildProgram>>;
let cluster: TestCluster;
let proxies: Map<string, PostgresProxy>;

beforeAll(async () => {
  program = await buildProgram('src/cli/main.ts');
});
afterAll(() => program.remove());
beforeEach(async () => {
  proxies = new Map();
  const databaseUrlOf = async (node: string, direct: string): Promise<string> => {
    const { proxy, url } = await PostgresProxy.start(direct);
    proxies.set(node, proxy);
    return url;
  };
  cluster = await startCluster({ entry: program.entry, legacy: false, databaseUrlOf });
});
afterEach(async () => {
  await cluster.close();
  for (const proxy of proxies.values()) await proxy.close();
});

async function standing(keys: readonly string[]): Promise<Set<string>> {
  const rows = await cluster.rows('SELECT key FROM causeway.record WHERE key = ANY($1)', [keys]);
  return new Set(rows.map((row) => row['key'] as string));
}

/** The answer that a client gets to a write of `key` at the node, as `code certainty`. */
type Ask = (node: TestNode, key: string) => Promise<string>;

const told = (error: unknown): string => {
  if (error instanceof CausewayError) return `${error.code} ${error.certainty}`;
  if (error instanceof CallError) return `${error.causewayCode} ${error.certainty}`;
  throw error;
};

const ways: readonly [string, string, Ask][] = [
  // A status that no node has sent: according to the documentation, indefinite for a write.
  [
    'a raw call',
    'undefined undefined',
    async ({ address }, key) => {
      const { PutRequest, PutResponse } = causeway.v1;
      const raw = new Client(address, credentials.createInsecure());
      const put = { key, value: Buffer.from('v') };
      const asked = call(raw, '/causeway.v1.KeyValue/Put', PutRequest, PutResponse, put, 20_000);
      return asked.then(() => 'done', told).finally(() => raw.close());
    },
  ],
  [
    'the client',
    'transport indefinite',
    ({ name }, key) =>
      cluster
        .client(name)
        .set(key, 'v')
        .then(() => 'done', told),
  ],
  [
    'a pipeline',
    'transport indefinite',
    async ({ name }, key) => {
      const pipeline = await cluster.client(name).pipeline();
      return pipeline.set(key, 'v').then(() => 'done', told);
    },
  ],
  [
    'the command line',
    '4 (indefinite)',
    async ({ address }, key) => {
      const { ended, errors } = runProgram(program.entry, ['set', key, 'v', '--nodes', address]);
      return `${await ended} ${/\(\w+\)/.exec(errors())?.[0]}`;
    },
  ],
];

test.each(ways)('asked of the node that dies, by %s: %s', async (_way, expected, ask) => {
  await cluster.client('node-1').set('before', 'v');
  proxies.get('node-1')!.holdAnswers();
  const answer = ask(cluster.node('node-1'), 'key');
  await until('it is committed', async () => (await standing(['key'])).size === 1);
  await cluster.kill('node-1');
  expect(await answer).toBe(expected);
  // It has happened: the survivors finish the write and return its value.
  expect(await cluster.client('node-2').get('key')).toEqual(Buffer.from('v'));
});

test('handed over by the node that was asked: it calls nothing definite that stands in PostgreSQL', async () => {
  const keys = Array.from({ length: KEYS_AT_ONCE }, (_, at) => `count ${at}`);
  const client = cluster.client('node-2');
  await client.increment('before');
  proxies.get('node-1')!.holdAnswers();
  // Increments go to the first owner of their slot, a third of them to node-1.
  const results = keys.map((key) =>
    client.increment(key, 1, { timeoutMs: 20_000 }).then(
      () => null,
      (error: unknown) => error as CausewayError,
    ),
  );
  await until('all are committed', async () => (await standing(keys)).size === keys.length);
  await cluster.kill('node-1');
  const failures = (await Promise.all(results)).filter((error) => error !== null);
  expect(failures.length).toBeGreaterThan(0);
  expect(failures.map(({ code, certainty }) => `${code} ${certainty}`)).toEqual(
    failures.map(() => 'outcome_unknown indefinite'),
  );
  for (const key of keys) expect(await client.get(key)).toEqual(Buffer.from('1'));
});
