/**
 * What a trace collector receives from three real nodes: the complete tree of one write and of one coalesced read. Part
 * of the tests of a healthy cluster, and the first of them: it records only what asks for it, except for Redis at one
 * node.
 */
import { Client, Metadata, credentials } from '@grpc/grpc-js';
import { afterAll, expect, test } from 'vitest';
import { SPANS } from '../../src/core/observability/spans.ts';
import { cache, causeway } from '../../src/gen/protocol.js';
import type { MessageType } from '../../src/gen/protocol.js';
import type { TestCluster } from '../support/cluster.ts';
import type { CollectedSpan, OtlpCollector } from '../support/otlp-collector.ts';
import { call } from '../support/grpc-call.ts';
import { RespLine } from '../support/resp-door.ts';
import { until } from '../support/supervisor-program.ts';

/** The node that also samples traces of its own. */
const CURIOUS = 'node-3';
const KEY = 'trace:a-key-of-somebody';
const VALUE = 'a value of somebody';
const CALL_MS_MAX = 20_000;

export function traceEnvironment(node: string, collector: OtlpCollector): Record<string, string> {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    OTEL_BSP_SCHEDULE_DELAY: '50',
    OTEL_TRACES_SAMPLER: node === CURIOUS ? 'parentbased_traceidratio' : 'parentbased_always_off',
    OTEL_TRACES_SAMPLER_ARG: '0.02',
  };
}

/** As a client sends it along. */
function sentTrace(
  number: number,
  isRecorded = true,
): { traceId: string; spanId: string; metadata: Metadata } {
  const traceId = number.toString(16).padStart(32, 'a');
  const spanId = number.toString(16).padStart(16, 'b');
  const metadata = new Metadata();
  metadata.set('traceparent', `00-${traceId}-${spanId}-0${isRecorded ? 1 : 0}`);
  metadata.set('tracestate', 'shop=cart');
  return { traceId, spanId, metadata };
}

function ask<Fields, Decoded>(
  address: string,
  path: string,
  types: readonly [MessageType<unknown, Fields>, MessageType<Decoded, never>],
  request: Fields,
  metadata: Metadata,
): Promise<Decoded> {
  const client = new Client(address, credentials.createInsecure());
  return call(client, path, ...types, request, CALL_MS_MAX, metadata).finally(() => client.close());
}

export function traceTests(cluster: () => TestCluster, collector: () => OtlpCollector): void {
  afterAll(() => collector().close());
  const addressOf = (node: string): string => cluster().node(node).address;
  const get = (node: string, key: string, metadata: Metadata): Promise<unknown> =>
    ask(addressOf(node), '/cache.CacheService/Get', [cache.GetRequest, cache.GetResponse], { key }, metadata);
  const set = (node: string, metadata: Metadata): Promise<unknown> => {
    const request = { key: KEY, value: Buffer.from(VALUE) };
    const types = [cache.SetRequest, cache.SetResponse] as const;
    return ask(addressOf(node), '/cache.CacheService/Set', types, request, metadata);
  };
  const statementFor = (wait: CollectedSpan): CollectedSpan | undefined =>
    collector().spans.find(({ links }) => links.some(({ spanId }) => spanId === wait.spanId));

  test('a write with a traceparent: door, coordination, both replicas, every disk and PostgreSQL, as one tree', async () => {
    const { traceId, spanId, metadata } = sentTrace(1);
    await set('node-2', metadata);
    const whole = [
      'cache.CacheService/Set',
      '  causeway.write',
      '    causeway.acknowledge',
      '      causeway.store',
      '    causeway.acknowledge',
      '      causeway.store',
      '    causeway.record',
      '    causeway.store',
    ];
    await until('the tree is there', () => collector().tree(traceId, spanId).length === whole.length);
    expect(collector().tree(traceId, spanId)).toEqual(whole);
    const spans = collector().of(traceId);
    const nodesOf = (name: string): string[] =>
      spans
        .filter((span) => span.name === name)
        .map(({ node }) => node)
        .sort();
    expect(nodesOf('causeway.acknowledge')).toEqual(['node-2', 'node-2']);
    expect(nodesOf('causeway.store')).toEqual(['node-1', 'node-2', 'node-3']);
    const [door] = spans.filter(({ kind }) => kind === 'server');
    expect(door!.attributes).toEqual({
      'rpc.system.name': 'grpc',
      'rpc.method': 'cache.CacheService/Set',
      'rpc.status_code': 'OK',
    });
    expect(spans.every(({ traceState }) => traceState === 'shop=cart')).toBe(true);
    const wait = spans.find(({ name }) => name === 'causeway.record')!;
    await until('the statement is there', () => statementFor(wait) !== undefined);
    const statement = statementFor(wait)!;
    expect(wait.links).toEqual([{ traceId: statement.traceId, spanId: statement.spanId }]);
    expect(statement).toMatchObject({
      name: SPANS.commit.name,
      kind: 'client',
      parentSpanId: '',
      node: 'node-2',
    });
    expect(statement.attributes).toMatchObject({
      'db.system.name': 'postgresql',
      'server.address': '127.0.0.1',
    });
    expect(collector().resources.get('node-2')).toMatchObject({
      'service.name': 'causeway',
      'service.instance.id': 'node-2',
      'deployment.environment.name': 'test',
    });
  });

  test('increments at each node, which one of them owns first: at the two others handed over, and the tree goes on there', async () => {
    const { IncrementRequest, IncrementResponse } = causeway.v1;
    const sent = cluster().names.map((node, at) => ({ node, ...sentTrace(10 + at) }));
    for (const { node, metadata } of sent) {
      const request = { key: 'trace:count', delta: 1n };
      const types = [IncrementRequest, IncrementResponse] as const;
      await ask(addressOf(node), '/causeway.v1.KeyValue/Increment', types, request as never, metadata);
    }
    const treeOf = ({ traceId, spanId }: (typeof sent)[number]): string[] =>
      collector().tree(traceId, spanId);
    const handedOver = (): typeof sent =>
      sent.filter((each) => treeOf(each).filter((line) => line.includes('causeway.store')).length === 3);
    await until('all trees are there', () => handedOver().length === 3);
    const trees = sent.map((each) =>
      treeOf(each)
        .slice(0, 4)
        .map((line) => line.trim()),
    );
    const away = ['causeway.v1.KeyValue/Increment', 'causeway.write', 'causeway.forward', 'causeway.write'];
    expect(trees.filter((tree) => tree.join() === away.join())).toHaveLength(2);
  });

  test('a cold key asked for at all nodes: one fetch from legacy, linked to the three that waited', async () => {
    const { legacy } = cluster();
    legacy.data.set('trace:cold', 'one answer');
    legacy.behaviourByKey.set('trace:cold', { kind: 'slow', ms: 300 });
    const sent = cluster().names.map((node, at) => ({ node, ...sentTrace(20 + at) }));
    await Promise.all(sent.map(({ node, metadata }) => get(node, 'trace:cold', metadata)));
    expect(legacy.callsByKey.get('trace:cold')).toBe(1);
    // An increment also reads from there.
    const fetches = (): CollectedSpan[] =>
      collector().spans.filter(
        ({ name, links }) =>
          name === SPANS.legacy.name && links.some(({ traceId }) => traceId === sent[0]!.traceId),
      );
    await until('the fetch is there', () => fetches().length > 0);
    const [fetch] = fetches();
    expect(fetch!.links.map(({ traceId }) => traceId).sort()).toEqual(sent.map(({ traceId }) => traceId));
    expect(fetch!.attributes).toMatchObject({ 'http.request.method': 'GET', 'server.address': '127.0.0.1' });
    const fill = (): string[] => collector().tree(fetch!.traceId, fetch!.spanId);
    await until('the fill is there', () => fill().length >= 7);
    expect(fill()[0]).toBe('causeway.write');
    for (const { traceId } of sent) {
      const linked = (): boolean =>
        collector()
          .of(traceId)
          .some(({ links }) => links.some((link) => link.spanId === fetch!.spanId));
      await until('each that waited names the fetch', linked);
    }
  });

  test('a trace that its client does not record, and a write of no trace: nothing is sent', async () => {
    const silent = sentTrace(30, false);
    await set(CURIOUS, silent.metadata);
    await set('node-1', new Metadata());
    const last = sentTrace(31);
    await set(CURIOUS, last.metadata);
    await until('what came later is there', () => collector().of(last.traceId).length >= 8);
    expect(collector().of(silent.traceId)).toEqual([]);
    expect(
      collector().spans.filter(({ kind, parentSpanId }) => kind === 'server' && parentSpanId === ''),
    ).toEqual([]);
  });

  test('a Redis command: the first span of its own trace', async () => {
    const line = await RespLine.open(cluster().node(CURIOUS).respPort);
    const root = (): CollectedSpan | undefined => collector().spans.find(({ name }) => name === 'SET');
    // Few are recorded, so it repeats until one is.
    await until('a span of one is there', async () => {
      for (let more = 0; more < 20 && root() === undefined; more += 1)
        expect(await line.ask(`SET ${KEY} again`)).toBe('+OK');
      return root() !== undefined;
    });
    line.close();
    const { traceId, spanId, kind, parentSpanId } = root()!;
    expect([kind, parentSpanId]).toEqual(['server', '']);
    await until('its tree is there', () => collector().tree(traceId, spanId).length === 7);
    expect(collector().tree(traceId, spanId)[0]).toBe('causeway.write');
  });

  test('of all that was sent: no key, no value, and no attribute that is not listed', () => {
    const listed = new Set<string>([
      'error.type',
      ...Object.values(SPANS).flatMap(({ attributes }) => attributes),
    ]);
    for (const { attributes } of collector().spans)
      for (const name of Object.keys(attributes)) expect(listed).toContain(name);
    expect(collector().bodies.join()).not.toMatch(/trace:|somebody|one answer/);
    expect([...collector().paths]).toEqual(['/v1/traces']);
  });

  test('the collector goes away: nodes answer as before', async () => {
    await collector().close();
    for (const at of [40, 41, 42]) await set('node-1', sentTrace(at).metadata);
    await get('node-2', KEY, sentTrace(43).metadata);
  });
}
