/** When tracing is on, where spans are sent, and what happens to spans that cannot be sent. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { OtlpCollector } from '../../../test/support/otlp-collector.ts';
import { TRACE_LINKS_MAX, TRACE_OPERATIONS_MAX, TRACE_OPERATIONS_MS } from '../../core/limits.ts';
import type { TraceContext } from '../../core/observability/trace-context.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import { SpanQueue } from './span-queue.ts';
import type { Environment } from './trace-options.ts';
import { openTraces, urlOf } from './traces.ts';

let told: string[] = [];
let counted = 0;
const telemetry: Telemetry = {
  event: (level, name, fields) => void told.push(`${level} ${name} ${JSON.stringify(fields ?? {})}`),
  count: (_name, amount = 1) => void (counted += amount),
};
beforeEach(() => {
  told = [];
  counted = 0;
});

const open = (env: Environment): ReturnType<typeof openTraces> =>
  openTraces({ env, telemetry, resource: { 'service.name': 'causeway' }, alike: {} });

test.each<[string, Environment]>([
  ['nothing is set', {}],
  ['an endpoint is empty', { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }],
  ['the SDK is disabled', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_SDK_DISABLED: 'true' }],
  ['no exporter is wanted', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_TRACES_EXPORTER: 'none' }],
])('%s: off, and nothing is said', async (_name, env) => {
  expect(await open(env)).toBe(null);
  expect(told).toEqual([]);
});

test.each<[string, Environment]>([
  ['is no address', { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }],
  [
    'is to be spoken to over gRPC',
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4317',
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: '',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    },
  ],
  [
    'is to be spoken to over gRPC for traces alone',
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4317',
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    },
  ],
])('an endpoint that %s: off, and said so once', async (_name, env) => {
  expect(await open(env)).toBe(null);
  expect(told).toEqual([expect.stringMatching(/^error traces\.off /)]);
});

test('the address: of traces alone as it stands, of all signals with their path behind it', () => {
  const all = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318/' };
  expect(urlOf(all)).toBe('http://c:4318/v1/traces');
  expect(urlOf({ ...all, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://d:1/x' })).toBe('http://d:1/x');
});

describe('with a collector', () => {
  let collector: OtlpCollector;
  beforeEach(async () => {
    collector = await OtlpCollector.start();
  });
  afterEach(() => collector.close());
  const env = (more: Environment = {}): Environment => ({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    ...more,
  });
  const client: TraceContext = { traceId: '4b'.repeat(16), spanId: '0f'.repeat(8), flags: 1, state: 'a=1' };

  test('a parent is said to be of another process only where it is', async () => {
    const traces = (await open(env()))!;
    const door = traces.begin('rpc', client)!;
    // What is sent on to others, over whatever wire.
    expect(door.context).toMatchObject({ traceId: client.traceId, flags: 1, state: 'a=1' });
    traces.begin('write', door.context)!.end();
    // A context as it arrives from another node.
    traces.begin('store', { ...door.context })!.end();
    door.end();
    await traces.close();
    const IS_REMOTE = 0x200;
    const remote = collector.spans.filter(({ flags }) => (flags & IS_REMOTE) !== 0);
    expect(collector.spans).toHaveLength(3);
    expect(remote.map(({ kind, name }) => [kind, name])).toEqual([
      ['internal', 'causeway.store'],
      ['server', '{service}/{method}'],
    ]);
  });

  test('what has ended is sent at the end, with its parent, attributes, links and fault', async () => {
    const traces = (await open(env()))!;
    const door = traces.begin('rpc', client, { title: 'a.B/C', attributes: { 'rpc.system.name': 'grpc' } })!;
    const statement = traces.begin('commit', null, {
      links: [door.context],
      attributes: { 'db.operation.batch.size': 3 },
    })!;
    for (let more = 0; more < 2 * TRACE_LINKS_MAX; more += 1) statement.link(client);
    statement.end('unknown');
    door.end();
    await traces.close();
    const [first, second] = collector.spans;
    expect(second).toMatchObject({
      name: 'a.B/C',
      kind: 'server',
      parentSpanId: client.spanId,
      traceState: 'a=1',
    });
    expect(first).toMatchObject({
      name: 'INSERT causeway.record',
      kind: 'client',
      parentSpanId: '',
      isFailed: true,
    });
    expect(first!.attributes).toEqual({ 'db.operation.batch.size': 3, 'error.type': 'unknown' });
    expect(first!.links).toHaveLength(TRACE_LINKS_MAX);
  });

  test.each<[string, Environment, string]>([
    ['nothing said: all', {}, 'root, recorded'],
    ['always_off: nothing', { OTEL_TRACES_SAMPLER: 'always_off' }, ''],
    ['by parents, none of its own', { OTEL_TRACES_SAMPLER: 'parentbased_always_off' }, 'recorded'],
    [
      'a ratio of none',
      { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' },
      'recorded',
    ],
    [
      'always_on: all, whatever the parent says',
      { OTEL_TRACES_SAMPLER: 'always_on' },
      'root, recorded, unrecorded',
    ],
    [
      'a word that is none: all, as if nothing were said',
      { OTEL_TRACES_SAMPLER: 'sometimes' },
      'root, recorded',
    ],
  ])('sampling, %s', async (_name, more, expected) => {
    const traces = (await open(env(more)))!;
    const asked = { root: null, recorded: client, unrecorded: { ...client, flags: 0 } };
    const recorded = Object.entries(asked).filter(
      ([, parent]) => traces.begin('rpc', parent, { title: 'a' }) !== null,
    );
    expect(recorded.map(([name]) => name).join(', ')).toBe(expected);
    // Whatever a node does for a recorded operation is recorded, regardless of the sampler.
    expect(traces.begin('commit', null, { links: [client] })).not.toBe(null);
    expect(told.length).toBe(more['OTEL_TRACES_SAMPLER'] === 'sometimes' ? 1 : 0);
    await traces.close();
  });

  test.each<[string, Environment, string[]]>([
    [
      'words that are no number',
      { OTEL_TRACES_SAMPLER_ARG: 'half', OTEL_BSP_MAX_QUEUE_SIZE: 'many' },
      ['warn'],
    ],
    ['more than all', { OTEL_TRACES_SAMPLER_ARG: '2', OTEL_BSP_MAX_QUEUE_SIZE: '1.5' }, ['warn']],
    ['less than nothing', { OTEL_TRACES_SAMPLER_ARG: '-1', OTEL_BSP_MAX_QUEUE_SIZE: '-1' }, ['warn']],
    ['nothing', { OTEL_TRACES_SAMPLER_ARG: ' ', OTEL_BSP_MAX_QUEUE_SIZE: ' ' }, []],
  ])('settings that are %s: as if they were not made', async (_name, more, lines) => {
    const traces = (await open(env({ OTEL_TRACES_SAMPLER: 'traceidratio', ...more })))!;
    for (let each = 0; each < 20; each += 1) traces.begin('rpc', null, { title: 'a' })!.end();
    await traces.close();
    expect([collector.spans.length, counted]).toEqual([20, 0]);
    expect(told.map((line) => line.split(' ')[0])).toEqual(lines);
  });

  test('what no sampler would record, and what finds no room: not even an id is drawn for it', async () => {
    const drawn = vi.spyOn(Math, 'random');
    try {
      const off = (await open(env({ OTEL_TRACES_SAMPLER: 'parentbased_always_off' })))!;
      drawn.mockClear();
      for (let each = 0; each < 1_000; each += 1) {
        expect(off.begin('rpc', null, { title: 'a' })).toBe(null);
        expect(off.begin('rpc', { ...client, flags: 0 }, { title: 'a' })).toBe(null);
      }
      expect([drawn.mock.calls.length, counted]).toEqual([0, 0]);
      expect(off.begin('rpc', client, { title: 'a' })).not.toBe(null);
      await off.close();
      const on = (await open(env({ OTEL_BSP_MAX_QUEUE_SIZE: '1' })))!;
      // The first span is sent at once; the second one waits while that is under way.
      for (let each = 0; each < 2; each += 1) on.begin('rpc', null, { title: 'a' })!.end();
      drawn.mockClear();
      for (let each = 0; each < 1_000; each += 1) expect(on.begin('rpc', null, { title: 'a' })).toBe(null);
      expect([drawn.mock.calls.length, counted]).toEqual([0, 1_000]);
      await on.close();
    } finally {
      drawn.mockRestore();
    }
  });

  test('ten thousand operations at once, all to be recorded: what is begun is bounded, and the others are counted', async () => {
    const traces = (await open(env()))!;
    const from = performance.now();
    let recorded = 0;
    for (let each = 0; each < 10_000; each += 1) {
      const door = traces.begin('rpc', each % 2 === 0 ? null : client, { title: 'a' });
      if (door === null) continue;
      recorded += 1;
      // An operation that is recorded is recorded completely.
      const read = traces.begin('read', door.context)!;
      read.end();
      door.end();
    }
    const stretches = 1 + Math.ceil((performance.now() - from) / TRACE_OPERATIONS_MS);
    expect(recorded).toBeGreaterThanOrEqual(TRACE_OPERATIONS_MAX);
    expect(recorded).toBeLessThanOrEqual(stretches * TRACE_OPERATIONS_MAX);
    expect(recorded + counted).toBeGreaterThanOrEqual(10_000);
    await traces.close();
  });

  test('what is asked within: is part of the span, and of the one around it again afterwards', async () => {
    const traces = (await open(env()))!;
    traces.within(client, () => {
      traces.within(undefined, () => expect(traces.active).toBe(undefined));
      expect(traces.active).toBe(client);
    });
    expect(() =>
      traces.within(client, () => {
        throw new Error('out');
      }),
    ).toThrow('out');
    expect(traces.active).toBe(undefined);
    await traces.close();
  });
});

describe('a collector that fails', () => {
  interface Attempt {
    readonly count: number;
    readonly end: (code: 0 | 1) => void;
  }
  let attempts: Attempt[];
  let now: number;
  let queue: SpanQueue;
  beforeEach(() => {
    attempts = [];
    now = 0;
    const exporter = {
      export: (spans: readonly unknown[], done: (result: { code: 0 | 1; error?: Error }) => void): void => {
        attempts.push({
          count: spans.length,
          end: (code) => done(code === 0 ? { code } : { code, error: new Error('refused') }),
        });
      },
      shutdown: () => Promise.resolve(),
    };
    const env = { OTEL_BSP_MAX_QUEUE_SIZE: '20', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '10' };
    queue = new SpanQueue(exporter, env, telemetry, () => now);
  });
  const ended = (count: number): void => {
    const span = { spanContext: () => ({ traceFlags: 1 }), resource: {} } as unknown as ReadableSpan;
    for (let each = 0; each < count; each += 1) queue.onEnd(span as never);
  };
  const attempt = async (code: 0 | 1, count = 10): Promise<void> => {
    const before = attempts.length;
    ended(count);
    const flushed = queue.forceFlush().catch(() => undefined);
    if (attempts.length > before) attempts.at(-1)!.end(code);
    await flushed;
  };

  test('more spans than may wait: the further ones are dropped, and counted', async () => {
    // Ten are on their way and not accepted yet.
    ended(10);
    ended(25);
    expect(attempts.map(({ count }) => count)).toEqual([10]);
    expect(counted).toBe(5);
    attempts[0]!.end(0);
    await new Promise((resolve) => setImmediate(resolve));
    ended(3);
    expect(counted).toBe(5);
  });

  test('more operations than are recorded at a time: they find room again in the next stretch of it', () => {
    const taken = (): number => {
      let count = 0;
      for (let each = 0; each < 1_000; each += 1) {
        if (!queue.takesOperation()) continue;
        queue.tookOperation();
        count += 1;
      }
      return count;
    };
    expect(taken()).toBe(TRACE_OPERATIONS_MAX);
    now += TRACE_OPERATIONS_MS - 1;
    expect(taken()).toBe(0);
    now += 1;
    expect(taken()).toBe(TRACE_OPERATIONS_MAX);
    expect(counted).toBe(3_000 - 2 * TRACE_OPERATIONS_MAX);
  });

  test('the queue is full: no operation is begun to be recorded whose spans would be dropped', async () => {
    ended(10);
    ended(20);
    expect(queue.takesOperation()).toBe(false);
    attempts[0]!.end(0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(queue.takesOperation()).toBe(true);
  });

  test('a collector that is well, while spans find no room: counted, and the log has no line of it', async () => {
    for (let round = 1; round <= 3; round += 1) {
      // Ten are on their way, twenty wait.
      ended(40);
      while (attempts.length > 0) {
        attempts.shift()!.end(0);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(counted).toBe(10 * round);
    }
    expect(told).toEqual([]);
  });

  test('each time it fails: one line, and it is left alone for longer; what comes meanwhile is dropped and counted', async () => {
    await attempt(1);
    expect(told).toEqual([
      `warn traces.export_failed ${JSON.stringify({ reason: 'refused', lost: 10, againInMs: 1000 })}`,
    ]);
    await attempt(1);
    expect([attempts.length, counted, told.length]).toEqual([1, 20, 1]);
    now += 1_000;
    await attempt(1);
    expect(told[1]).toContain('"lost":30,"againInMs":2000');
    now += 2_000;
    await attempt(0);
    expect(told[2]).toBe('info traces.export_recovered {"lost":30}');
    await attempt(0);
    expect([attempts.length, counted, told.length]).toEqual([4, 30, 3]);
    // It begins anew.
    await attempt(1);
    expect(told[3]).toContain('"lost":10,"againInMs":1000');
  });

  test('it fails for long: it is tried again every five minutes', async () => {
    const pauses: number[] = [];
    for (let failed = 0; failed < 12; failed += 1) {
      await attempt(1);
      pauses.push((JSON.parse(told.at(-1)!.split(' ')[2]!) as { againInMs: number }).againInMs);
      now += pauses.at(-1)!;
    }
    expect(pauses.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(pauses.slice(-3)).toEqual([300_000, 300_000, 300_000]);
  });

  test.each([
    ['nothing', undefined, 'unknown'],
    ['a code alone', Object.assign(new Error(''), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    ['a name alone', new AggregateError([]), 'AggregateError'],
  ])('it fails and gives as the reason %s: the line says so', async (_name, error, reason) => {
    const exporter = {
      export: (_spans: unknown, done: (result: { code: 1; error?: Error }) => void): void =>
        done(error === undefined ? { code: 1 } : { code: 1, error }),
      shutdown: () => Promise.resolve(),
    };
    queue = new SpanQueue(exporter, {}, telemetry, () => now);
    ended(1);
    await queue.forceFlush().catch(() => undefined);
    expect(told[0]).toContain(`"reason":"${reason}"`);
  });
});
