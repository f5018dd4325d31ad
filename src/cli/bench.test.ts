/** `causeway bench` against a real server: what it asks, what it leaves behind, and what it reports about times. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keptIo } from '../../test/support/command-io.ts';
import type { Ran } from '../../test/support/command-io.ts';
import { openDoors } from '../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../test/support/grpc-call.ts';
import type { CausewayClient } from '../client/index.ts';
import { runLoad, Times } from './bench-load.ts';
import type { LoadProgress } from './bench-load.ts';
import { isLoopback, resultLines } from './bench.ts';
import { runCommand } from './main.ts';

let doors: DoorFixture;
beforeEach(async () => {
  doors = await openDoors();
});
afterEach(() => doors.stop());

async function run(words: string[], typed?: string): Promise<Ran> {
  const { io, ran } = keptIo(typed, typed !== undefined);
  await runCommand(['bench', ...words], io);
  return ran;
}

const SHORT = ['--duration', '1', '--keys', '50', '--concurrency', '4'];

test('puts and gets, unary and pipelined: each is measured, of its own keys alone, and none is left', async () => {
  const { code, out, err } = await run(['--url', doors.address, ...SHORT, '--json']);
  expect(code).toBe(0);
  const told = JSON.parse(out) as {
    prefix: string;
    keysLeft: number;
    results: { verb: string; mode: string; operations: number }[];
  };
  expect(told.results.map(({ verb, mode }) => `${verb} ${mode}`)).toEqual([
    ...['put unary', 'put pipelined', 'get unary', 'get pipelined'],
  ]);
  for (const { operations } of told.results) expect(operations).toBeGreaterThan(10);
  expect(told.keysLeft).toBe(0);
  expect(err).toContain(`50 keys below ${told.prefix}`);
  expect(doors.api.calls.every(({ key }) => key.startsWith(told.prefix))).toBe(true);
  expect(new Set(doors.api.calls.map(({ key }) => key)).size).toBe(50);
  expect([...doors.api.records.values()].every(({ tombstone }) => tombstone)).toBe(true);
});

test('operations that fail: counted by their code and not timed, exit 1; the keys are removed all the same', async () => {
  const write = doors.api.write.bind(doors.api);
  let puts = 0;
  doors.api.write = (operation, timeoutMs, done) => {
    doors.api.failWith = operation.kind === 'put' && ++puts > 50 ? 'record_unavailable' : undefined;
    write(operation, timeoutMs, done);
  };
  const { code, out } = await run(['--url', doors.address, ...SHORT, '--only', 'put', '--mode', 'unary']);
  expect(code).toBe(1);
  expect(out).toMatch(/put, unary: [\d,]+ times record_unavailable/);
  expect(out).toMatch(/put, unary +0 +- /);
  expect([...doors.api.records.values()].every(({ tombstone }) => tombstone)).toBe(true);
});

test('nodes are named as for every other command; --url goes before them', async () => {
  const short = [...SHORT, '--only', 'get', '--mode', 'unary', '--json'];
  expect((await run(['--nodes', doors.address, ...short])).code).toBe(0);
  expect((await run(['--nodes', '127.0.0.1:1', '--url', doors.address, ...short])).code).toBe(0);
  vi.stubEnv('CAUSEWAY_NODES', doors.address);
  try {
    expect((await run(short)).code).toBe(0);
  } finally {
    vi.unstubAllEnvs();
  }
});

test('nobody at the address: told at once, and no key is to be removed', async () => {
  const { code, out, err } = await run(['--url', '127.0.0.1:1', ...SHORT]);
  expect([code, out]).toEqual([3, '']);
  expect(err).toMatch(/: cannot connect to 127\.0\.0\.1:1 \(ECONNREFUSED\): nothing was sent\n.*gRPC.*\n$/);
  expect(err).not.toContain('removed');
});

test.each(['-5', '1.5', '1e3', '9'.repeat(17)])(
  '--keys %s: refused by the name of the option',
  async (text) => {
    const { code, err } = await run(['--url', doors.address, '--keys', text]);
    expect(code).toBe(2);
    expect(err).toBe(
      `error: option '--keys <n>' argument '${text}' is invalid. It must be a whole number, 0 or more.\n`,
    );
  },
);

test('a cluster elsewhere: not without a word; nothing is asked of it', async () => {
  const elsewhere = ['--url', '192.0.2.1:50051', ...SHORT];
  const refused = await run(elsewhere);
  expect(refused.code).toBe(2);
  expect(refused.err).toContain('takes --yes');
  const no = await run(elsewhere, 'no\n');
  expect(no.code).toBe(2);
  expect(no.err).toContain("Type 'yes'");
  expect(no.err).toContain('nothing was done');
});

test('which addresses are this machine', async () => {
  for (const node of ['127.0.0.1:1', '127.9.9.9:1', 'localhost:1', '[::1]:1'])
    expect(await isLoopback(node)).toBe(true);
  for (const node of ['192.0.2.1:1', '0.0.0.0:1', '[2001:db8::1]:1'])
    expect(await isLoopback(node)).toBe(false);
});

test.each([
  ['--size', '99999999'],
  ['--concurrency', '0'],
  ['--duration', '0'],
  ['--keys', '1000001'],
])('%s %s: wrong usage', async (name, value) => {
  const { code, err } = await run(['--url', doors.address, name, value]);
  expect(code).toBe(2);
  expect(err).toContain(`${name} ${value}: must be from`);
});

test('times: quantiles within one part in a hundred, whatever their size; none at all is told as such', () => {
  const times = new Times();
  for (let at = 1; at <= 1_000; at++) times.record(at / 10);
  for (const share of [0.5, 0.9, 0.99, 0.999]) {
    expect(Math.abs(times.quantile(share) / (share * 100) - 1)).toBeLessThan(0.011);
  }
  expect(times.max).toBe(100);
  times.record(1e9);
  times.record(0);
  expect(times.quantile(1)).toBeGreaterThan(100);
  const none = {
    verb: 'get',
    mode: 'unary',
    seconds: 1,
    operations: 0,
    perSecond: 0,
    ms: null,
    failures: { a: 2 },
  } as const;
  expect(resultLines([none])).toEqual([
    'WHAT        PER SECOND  P50 MS  P90  P99  P99.9  MAX  FAILED',
    'get, unary  0           -       -    -    -      -    2',
    'get, unary: 2 times a',
  ]);
});

test('while nothing is counted yet it is said to be warming up; then what was done, and the share of the time counted', async () => {
  vi.useFakeTimers();
  try {
    const told: LoadProgress[] = [];
    const set = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));
    const ended = runLoad({ set } as unknown as CausewayClient, {
      ...{ verb: 'put', mode: 'unary', keys: ['a'], value: Buffer.alloc(1), concurrency: 1 },
      ...{ warmUpMs: 1_000, durationMs: 2_000, signal: new AbortController().signal },
      progress: (progress) => told.push(progress),
    });
    await vi.advanceTimersByTimeAsync(999);
    expect(told).toEqual(['warmingUp', 'warmingUp', 'warmingUp']);
    await vi.advanceTimersByTimeAsync(2_101);
    expect(await ended).toMatchObject({ operations: 20 });
    const counted = told.filter((progress) => progress !== 'warmingUp');
    expect(counted.at(4)).toEqual({ done: 9, failed: 0, share: 0.5 });
  } finally {
    vi.useRealTimers();
  }
});

test('refused from the first on: each caller rests before it asks again, in the warm-up too', async () => {
  let calls = 0;
  const set = (): Promise<never> => {
    calls += 1;
    return Promise.reject(Object.assign(new Error('no'), { code: 'overloaded' }));
  };
  await runLoad({ set } as unknown as CausewayClient, {
    ...{ verb: 'put', mode: 'unary', keys: ['a'], value: Buffer.alloc(1), concurrency: 1 },
    ...{ warmUpMs: 200, durationMs: 1, signal: new AbortController().signal },
    progress: () => undefined,
  });
  // With pauses of 10 ms there are no more calls than this, however fast the machine.
  expect(calls).toBeLessThanOrEqual(22);
});
