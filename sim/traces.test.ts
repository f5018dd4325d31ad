/**
 * What a cluster records of one operation, in simulated time: the whole span tree, and that every span ends whatever
 * happens.
 */
import { expect, test } from 'vitest';
import { TRACE_OPEN_MS_MAX } from '../src/core/limits.ts';
import { SPANS } from '../src/core/observability/spans.ts';
import type { TraceContext } from '../src/core/observability/trace-context.ts';
import type { Tracing } from '../src/ports/tracing.ts';
import type { ReadResult, ScanResult, WriteResult } from '../src/core/operation.ts';
import { cursorOf } from '../src/core/clients/scan-place.ts';
import { slotOf } from '../src/core/placement/slots.ts';
import type { ClusterAnswer } from '../src/node/cluster-orders.ts';
import { TraceBook } from '../test/support/recording-tracing.ts';
import type { SimNode } from './cluster.ts';
import { SmallWorld } from './small-world.ts';

const TIMEOUT_MS = 5_000;
const bytes = (text: string): Uint8Array => Buffer.from(text);

/** A cluster that records, and the contexts that a client would have sent along. */
class TracedWorld {
  readonly world: SmallWorld;
  readonly book: TraceBook;
  /** One for each node, as each process has its own. */
  private readonly tracers = new Map<string, Tracing>();
  private roots = 0;

  constructor(seed: number, nodeCount = 3, withLegacy = false) {
    let now = (): number => 0;
    this.book = new TraceBook(() => now());
    const tracingOf = (node: string): Tracing => {
      const tracing = this.tracers.get(node) ?? this.book.of(node);
      this.tracers.set(node, tracing);
      return tracing;
    };
    const before = ({ scheduler }: SmallWorld): void => void (now = () => scheduler.time);
    this.world = new SmallWorld(seed, { before, nodeCount, withLegacy, tracingOf });
  }

  root(): TraceContext {
    this.roots += 1;
    return {
      traceId: `${this.roots}`.padStart(32, 'c'),
      spanId: `${this.roots}`.padStart(16, 'c'),
      flags: 1,
      state: 'of=client',
    };
  }

  put(sim: SimNode, key: string, trace: TraceContext | undefined, value = 'v'): () => WriteResult | null {
    let result: WriteResult | null = null;
    this.tracers
      .get(sim.name)!
      .within(trace, () =>
        sim.node!.write(
          { kind: 'put', key, value: bytes(value), ttlMs: 0, operationId: null },
          TIMEOUT_MS,
          (told) => (result = told),
        ),
      );
    return () => result;
  }

  get(sim: SimNode, key: string, trace: TraceContext | undefined): () => ReadResult | null {
    let result: ReadResult | null = null;
    this.tracers
      .get(sim.name)!
      .within(trace, () => sim.node!.get(key, TIMEOUT_MS, (told) => (result = told)));
    return () => result;
  }

  scan(sim: SimNode, after: string, trace: TraceContext): () => ScanResult | null {
    let result: ScanResult | null = null;
    this.tracers
      .get(sim.name)!
      .within(trace, () => sim.node!.scan(after, 100, TIMEOUT_MS, (told) => (result = told)));
    return () => result;
  }

  count(sim: SimNode, trace: TraceContext): () => ClusterAnswer | null {
    let result: ClusterAnswer | null = null;
    this.tracers
      .get(sim.name)!
      .within(trace, () => sim.node!.operate({ kind: 'count' }, TIMEOUT_MS, (told) => (result = told)));
    return () => result;
  }

  until(...answers: (() => unknown)[]): void {
    this.world.until(() => answers.every((answer) => answer() !== null), 2 * TIMEOUT_MS);
  }
}

test('a write at an owner: stored here, asked of each other owner and stored there, then in PostgreSQL', () => {
  const traced = new TracedWorld(11);
  const { world, book } = traced;
  const [first, ...others] = world.ownersOf('k');
  const trace = traced.root();
  traced.until(traced.put(first!, 'k', trace));
  const here = `at ${first!.name}`;
  expect(book.tree(trace)).toEqual([
    `causeway.write ${here}`,
    `  causeway.store ${here}`,
    ...others.flatMap(({ name }) => [`  causeway.acknowledge ${here}`, `    causeway.store at ${name}`]),
    `  causeway.record ${here}`,
  ]);
  const waits = book.spans.find(({ what }) => what === 'record')!;
  const [statement] = book.linkedTo(waits.context);
  expect(statement).toMatchObject({ what: 'commit', parentId: null, error: undefined });
  expect(waits.links).toEqual([statement!.context]);
  expect(statement!.attributes).toMatchObject({
    'db.system.name': 'postgresql',
    'db.operation.batch.size': 1,
  });
  const outcomes = book.spans.filter(({ what }) => what === 'acknowledge');
  expect(outcomes.map(({ attributes }) => attributes)).toEqual(
    others.map(({ name }) => ({ 'causeway.peer': name, 'causeway.outcome': 'equal' })),
  );
  expect(book.open).toEqual([]);
  expect(
    book.spans.every(({ context }) => context.traceId !== trace.traceId || context.state === 'of=client'),
  ).toBe(true);
});

test('a write at a node that owns nothing of the key: the same below the span of its being handed over', () => {
  const traced = new TracedWorld(12, 5);
  const { world, book } = traced;
  const bystander = world.nodes.find((sim) => !world.ownersOf('k').includes(sim))!;
  const [first] = world.ownersOf('k');
  const trace = traced.root();
  traced.until(traced.put(bystander, 'k', trace));
  const tree = book.tree(trace);
  expect(tree.slice(0, 4)).toEqual([
    `causeway.write at ${bystander.name}`,
    `  causeway.forward at ${bystander.name}`,
    `    causeway.write at ${first!.name}`,
    `      causeway.store at ${first!.name}`,
  ]);
  expect(tree.filter((line) => line.includes('acknowledge'))).toHaveLength(2);
  expect(book.open).toEqual([]);
});

test('many writes at once, one in three recorded: one statement linked to those, and nothing said of the others', () => {
  const traced = new TracedWorld(13);
  const { world, book } = traced;
  const [first] = world.ownersOf('k');
  const answers = Array.from({ length: 30 }, (_, n) =>
    traced.put(first!, `{k}${n}`, n % 3 === 0 ? traced.root() : undefined),
  );
  traced.until(...answers);
  const recorded = book.spans.filter(({ what }) => what === 'record');
  expect(recorded).toHaveLength(10);
  const statements = book.spans.filter(({ what }) => what === 'commit');
  expect(statements.flatMap(({ links }) => links.map(({ spanId }) => spanId)).sort()).toEqual(
    recorded.map(({ context }) => context.spanId).sort(),
  );
  expect(statements.length).toBeLessThan(10);
  expect(book.spans.filter(({ what }) => what === 'write')).toHaveLength(10);
  expect(book.open).toEqual([]);
});

test('writes of one key that a round carries together: its steps stand below one, the others are linked to that', () => {
  const traced = new TracedWorld(14);
  const { world, book } = traced;
  const [first] = world.ownersOf('k');
  // The first begins a round of its own; the others wait for its end.
  const answers = [undefined, traced.root(), traced.root(), traced.root()].map((trace, n) =>
    traced.put(first!, 'k', trace, `v${n}`),
  );
  traced.until(...answers);
  const [carrier, ...carried] = book.spans.filter(({ what }) => what === 'write');
  expect(carried).toHaveLength(2);
  for (const { links } of carried) expect(links).toEqual([carrier!.context]);
  const asked = book.spans.filter(({ what }) => what === 'acknowledge');
  expect(asked.map(({ parentId }) => parentId)).toEqual([carrier!.context.spanId, carrier!.context.spanId]);
  expect(book.open).toEqual([]);
});

test('a key that only the legacy source has, asked for at every node: one fetch, which is told its trace, linked to all who wait, and the fill below it', () => {
  const traced = new TracedWorld(15, 3, true);
  const { world, book } = traced;
  world.legacy.set('cold', bytes('from the past'));
  const reads = world.nodes.flatMap((sim) => [
    traced.get(sim, 'cold', traced.root()),
    traced.get(sim, 'cold', undefined),
  ]);
  traced.until(...reads);
  expect(world.legacy.callsByKey.get('cold')).toBe(1);
  const [first] = world.ownersOf('cold');
  const [fetch, more] = book.spans.filter(({ what }) => what === 'legacy');
  expect(more).toBe(undefined);
  expect(fetch).toMatchObject({ node: first!.name, name: 'GET', parentId: null });
  expect(world.legacy.traceByKey.get('cold')).toEqual(fetch!.context);
  expect(fetch!.attributes).toEqual({ 'http.request.method': 'GET', 'causeway.outcome': 'value' });
  const waited = book.spans.filter(({ what, node }) => what === 'read' && node === first!.name);
  expect(waited).toHaveLength(3);
  expect(fetch!.links.map(({ spanId }) => spanId).sort()).toEqual(
    waited.map(({ context }) => context.spanId).sort(),
  );
  for (const { links } of waited) expect(links).toContainEqual(fetch!.context);
  expect(book.tree(fetch!.context)[0]).toBe(`causeway.write at ${first!.name}`);
  expect(book.open).toEqual([]);
});

test('a page of a node that owns its slots, and of one that asks an owner: what each did, and how many records it has', () => {
  const traced = new TracedWorld(19, 5);
  const { world, book } = traced;
  for (let at = 0; at < 20; at += 1) world.put(world.nodes[at % 5]!, `{k}${at}`, 'v');
  world.run(200);
  const owners = world.ownersOf('{k}0');
  const bystander = world.nodes.find((sim) => !owners.includes(sim))!;
  const after = cursorOf({ slot: slotOf('{k}0'), afterKey: '' });
  const [here, away] = [traced.root(), traced.root()];
  const pages = [traced.scan(owners[0]!, after, here), traced.scan(bystander, after, away)];
  traced.until(...pages);
  expect(book.tree(here)).toEqual([`causeway.scan at ${owners[0]!.name}`]);
  const [, , asked] = book.spans.filter(({ what }) => what === 'scan');
  expect(book.tree(away)).toEqual([
    `causeway.scan at ${bystander.name}`,
    `  causeway.forward at ${bystander.name}`,
    `    causeway.scan at ${asked!.node}`,
  ]);
  const told = book.spans.filter(({ what }) => what === 'scan').map(({ attributes }) => attributes);
  expect(told).toEqual([
    { 'causeway.hops': 0, 'causeway.page.records': 20 },
    { 'causeway.hops': 0, 'causeway.page.records': 20 },
    { 'causeway.hops': 1, 'causeway.page.records': 20 },
  ]);
  expect(book.open).toEqual([]);
});

test('keys are counted: each other first owner is asked under a span of its own; one that dies is not waited for', () => {
  const traced = new TracedWorld(20, 4);
  const { world, book } = traced;
  world.run(1_000);
  const trace = traced.root();
  traced.until(traced.count(world.nodes[0]!, trace));
  const others = world.nodes.slice(1).map(({ name }) => name);
  expect(book.tree(trace)).toEqual([
    'causeway.count at node-1',
    ...others.map(() => '  causeway.forward at node-1'),
  ]);
  const asked = book.spans.filter(({ what }) => what === 'forward');
  expect(asked.map(({ attributes }) => attributes['causeway.peer']).sort()).toEqual(others);
  const answer = traced.count(world.nodes[0]!, traced.root());
  world.cluster.kill(world.nodes[1]!);
  traced.until(answer);
  expect(book.open).toEqual([]);
});

test('an owner dies under writes, and an epoch goes on without it: only what it did and was asked stays open', () => {
  const traced = new TracedWorld(16);
  const { world, book } = traced;
  const [first, second] = world.ownersOf('k');
  const answers = Array.from({ length: 20 }, (_, n) => traced.put(first!, `{k}${n}`, traced.root()));
  world.run(1);
  world.cluster.kill(second!);
  traced.until(...answers);
  expect(answers.every((answer) => answer()?.kind === 'done')).toBe(true);
  const open = book.open.map(({ what, node, attributes }) => [what, node, attributes['causeway.peer']]);
  expect(open.length).toBeGreaterThan(0);
  const left = [
    ['acknowledge', first!.name, second!.name],
    ['store', second!.name, undefined],
  ];
  for (const each of open) expect(left).toContainEqual(each);
  // Nobody writes any more, and yet the span records that it was waited for in vain.
  world.run(TRACE_OPEN_MS_MAX);
  const unanswered = book.spans.filter(({ what, error }) => what === 'acknowledge' && error !== undefined);
  expect(unanswered.length).toBeGreaterThan(0);
  expect(book.open.filter(({ node }) => node !== second!.name)).toEqual([]);
});

test('PostgreSQL is away for a while: its statements have failed, the wait for them goes on to the end', () => {
  const traced = new TracedWorld(17);
  const { world, book } = traced;
  const [first] = world.ownersOf('k');
  const answer = traced.put(first!, 'k', traced.root());
  world.database.goDown(300);
  traced.until(answer);
  const statements = book.spans.filter(({ what }) => what === 'commit');
  expect(statements.at(-1)!.error).toBe(undefined);
  expect(book.spans.filter(({ what }) => what === 'record')).toMatchObject([{ error: undefined }]);
  expect(book.open).toEqual([]);
});

test('every attribute of every span stands in the list of spans, and no key or value in any', () => {
  const traced = new TracedWorld(18, 5, true);
  const { world, book } = traced;
  const secrets = ['a-secret-key', 'a-secret-value'];
  traced.until(
    ...world.nodes.flatMap((sim) => [
      traced.put(sim, secrets[0]!, traced.root(), secrets[1]),
      traced.get(sim, `${secrets[0]!}-of-legacy`, traced.root()),
    ]),
  );
  for (const { what, attributes } of book.spans)
    for (const name of Object.keys(attributes)) expect(SPANS[what].attributes).toContain(name);
  expect(JSON.stringify(book.spans)).not.toMatch(/secret/);
});
