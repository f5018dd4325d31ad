/**
 * Writes that complete without PostgreSQL: they are readable, survive the death of all nodes, and are in PostgreSQL
 * afterwards.
 */
import { expect, it } from 'vitest';
import type { Mutations } from '../src/core/mutations.ts';
import { slotOf } from '../src/core/placement/slots.ts';
import type { SpoolSettings } from '../src/node/spool/spool.ts';
import { sealRecord } from '../src/wire/record-codec.ts';
import { PROFILES } from './profiles.ts';
import { runSeed } from './run.ts';
import { SmallWorld } from './small-world.ts';

const LONG_MS = 600_000;
const SPOOL: SpoolSettings = { outage: 'spool', spoolBytesMax: 1_000_000, spoolEntriesMax: 1_000 };

function world(seed: number, record: SpoolSettings = SPOOL, keepMs?: number): SmallWorld {
  const made = new SmallWorld(seed, { tombstoneKeepMs: keepMs, record });
  expect(made.put(made.nodes[0]!, 'before', 'value').kind).toBe('done');
  made.run(500);
  return made;
}

function isSpooling(each: SmallWorld): boolean {
  return each.nodes.every((sim) => sim.node?.status().spool.isOn === true);
}

/** PostgreSQL goes away, and a client finds out. */
function spooling(each: SmallWorld): void {
  each.database.goDown(LONG_MS);
  each.put(each.nodes[0]!, 'finds out', 'value');
  each.until(() => isSpooling(each), 10_000);
}

function rowOf(each: SmallWorld, key: string): string | undefined {
  const row = each.database.standing(key);
  return row === undefined || row.record.tombstone ? undefined : Buffer.from(row.record.value).toString();
}

it('PostgreSQL is away: writes go on, are read everywhere, outlive everybody, and are drained when it is back', () => {
  const each = world(1);
  spooling(each);
  for (let index = 0; index < 20; index += 1)
    expect(each.put(each.nodes[index % 3]!, `key:${index}`, `value ${index}`).kind).toBe('done');
  expect(each.write(each.nodes[0]!, { kind: 'delete', key: 'before', operationId: null }).kind).toBe('done');
  for (const sim of each.nodes) {
    expect(each.text(sim, 'key:7')).toBe('value 7');
    expect(each.text(sim, 'before')).toBe(undefined);
    expect(sim.node!.status().spool).toMatchObject({ isOn: true, isFull: false, entries: 22 });
  }
  each.run(2_000);
  for (const sim of each.nodes) expect(sim.node!.status().spool.oldestMs).toBeGreaterThan(1_900);
  for (const sim of each.nodes) each.cluster.kill(sim);
  each.run(100);
  for (const sim of each.nodes) each.cluster.start(sim);
  each.until(() => each.cluster.isWhole(), 30_000);
  expect(rowOf(each, 'key:7')).toBe(undefined);
  for (const sim of each.nodes) {
    expect(each.text(sim, 'key:7')).toBe('value 7');
    expect(sim.node!.status().spool.entries).toBe(22);
  }
  each.database.comeUp();
  each.until(() => each.nodes.every((sim) => sim.node!.status().spool.entries === 0), 15_000);
  each.until(() => !isSpooling(each), 5_000);
  for (let index = 0; index < 20; index += 1) expect(rowOf(each, `key:${index}`)).toBe(`value ${index}`);
  expect(rowOf(each, 'before')).toBe(undefined);
  expect(each.put(each.nodes[1]!, 'after', 'value').kind).toBe('done');
  expect(rowOf(each, 'after')).toBe('value');
});

it('a deletion that PostgreSQL has not heard of grows old: it is not forgotten before it has', () => {
  const each = world(7, SPOOL, 100);
  spooling(each);
  expect(each.write(each.nodes[0]!, { kind: 'delete', key: 'before', operationId: null }).kind).toBe('done');
  each.run(20_000);
  for (const sim of each.nodes) expect(sim.node!.status().tombstones.held).toBe(1);
  each.database.comeUp();
  each.until(() => each.nodes.every((sim) => sim.node!.status().tombstones.held === 0), 20_000);
  expect(rowOf(each, 'before')).toBe(undefined);
});

it("marks are left over of a version that never became the cluster's: what it holds is drained all the same", () => {
  const each = world(8);
  spooling(each);
  const put = each.put(each.nodes[0]!, 'key', 'value');
  const version = put.kind === 'done' ? put.version : 0;
  each.run(2_000);
  // As if a write had died with its process, and another of its key had taken a lower version: learners copy its mark.
  const slot = slotOf('key');
  for (const { node } of each.nodes) {
    const { marks } = node!['assembly'].spool;
    expect(marks.of(slot, 'key')!.version).toBe(version);
    marks.put(slot, 'key', { version: version + 2, since: 0, byteCount: 80 });
  }
  each.run(100);
  each.database.comeUp();
  each.until(() => each.nodes.every((sim) => sim.node!.status().spool.entries === 0), 15_000);
  expect(rowOf(each, 'key')).toBe('value');
});

it('PostgreSQL answers reads and finishes no write: one member notices, the others try it, and writes go on', () => {
  const each = world(9);
  each.database.stall(LONG_MS);
  each.put(each.nodes[0]!, 'finds out', 'value');
  each.until(() => isSpooling(each), 10_000);
  for (let index = 0; index < 20; index += 1)
    expect(each.put(each.nodes[index % 3]!, `key:${index}`, `value ${index}`).kind).toBe('done');
  // What reads are answered meanwhile ends nothing.
  for (let at = 0; at < 20; at += 1) {
    for (const sim of each.nodes) expect(each.text(sim, `absent:${at}`)).toBe(undefined);
    each.run(500);
    expect(isSpooling(each)).toBe(true);
  }
  each.database.comeUp();
  each.until(() => each.nodes.every((sim) => sim.node!.status().spool.entries === 0), 15_000);
  each.until(() => !isSpooling(each), 5_000);
  for (let index = 0; index < 20; index += 1) expect(rowOf(each, `key:${index}`)).toBe(`value ${index}`);
});

it('the same, set to reject: once it is noticed a write is refused at once, and has not happened', () => {
  const each = world(10, { ...SPOOL, outage: 'reject' });
  each.database.stall(LONG_MS);
  each.put(each.nodes[0]!, 'finds out', 'value');
  for (let at = 0; at < 10; at += 1) {
    expect(each.put(each.nodes[0]!, 'key', 'value')).toMatchObject({
      failure: { code: 'record_unavailable' },
    });
    each.run(1_000);
  }
  each.database.comeUp();
  each.until(() => each.put(each.nodes[0]!, 'key', 'value').kind === 'done', 10_000);
  expect(rowOf(each, 'key')).toBe('value');
});

it('set to reject: writes are refused, and no epoch comes of it', () => {
  const each = world(2, { ...SPOOL, outage: 'reject' });
  each.database.goDown(LONG_MS);
  each.put(each.nodes[0]!, 'finds out', 'value');
  const { epoch } = each.nodes[0]!.node!.status();
  each.run(20_000);
  expect(each.put(each.nodes[0]!, 'key', 'value')).toMatchObject({ failure: { code: 'record_unavailable' } });
  expect(each.nodes[0]!.node!.status()).toMatchObject({ epoch, spool: { isOn: false, entries: 0 } });
});

it('away from one member alone: the others forbid it, and writes through them go on as ever', () => {
  const each = world(3);
  each.database.unreached.cutOff(each.nodes[0]!.life!, LONG_MS);
  const { epoch } = each.nodes[0]!.node!.status();
  for (let at = 0; at < 20; at += 1) {
    each.put(each.nodes[0]!, 'finds out', 'value');
    each.put(each.nodes[1]!, 'key', `value ${at}`);
    each.run(500);
  }
  expect(each.put(each.nodes[1]!, 'key', 'last').kind).toBe('done');
  expect(rowOf(each, 'key')).toBe('last');
  expect(each.nodes[0]!.node!.status()).toMatchObject({ epoch, spool: { isOn: false, entries: 0 } });
});

it('the bound is reached: writes are refused definitely until PostgreSQL is back', () => {
  const each = world(4, { ...SPOOL, spoolEntriesMax: 5 });
  spooling(each);
  const results = Array.from({ length: 12 }, (_, index) => each.put(each.nodes[0]!, `key:${index}`, 'value'));
  expect(results.slice(0, 4).map((result) => result.kind)).toEqual(['done', 'done', 'done', 'done']);
  expect(results.at(-1)).toMatchObject({ failure: { code: 'record_unavailable' } });
  expect(each.nodes[0]!.node!.status().spool.isFull).toBe(true);
  expect(each.text(each.nodes[1]!, 'key:1')).toBe('value');
  each.database.comeUp();
  each.until(() => each.put(each.nodes[0]!, 'key:12', 'value').kind === 'done', 15_000);
});

it('a member comes back with a blank disk: it copies the marks with the records', () => {
  const each = world(5);
  spooling(each);
  expect(each.put(each.nodes[0]!, 'key', 'value').kind).toBe('done');
  each.cluster.kill(each.nodes[2]!);
  each.run(1_500);
  each.nodes[2]!.disk.wipe();
  each.cluster.start(each.nodes[2]!);
  each.until(() => each.cluster.isWhole(), 20_000);
  expect(each.nodes[2]!.node!.status().spool.entries).toBe(2);
});

it('a row was changed from outside meanwhile: it wins, is told everywhere, and shown as a conflict', () => {
  const each = world(6);
  spooling(each);
  const written = each.put(each.nodes[0]!, 'key', 'ours');
  expect(written.kind).toBe('done');
  const held = each.nodes[0]!.node!.inspect('key').record!;
  const record = { ...held, version: held.version + 4096 * 10, value: Buffer.from('theirs') };
  const { checksum } = sealRecord(record);
  each.database.server['rows'].set('key', { record, slot: slotOf('key'), checksum });
  each.database.comeUp();
  each.until(() => each.nodes.every((sim) => sim.node!.status().spool.entries === 0), 20_000);
  for (const sim of each.nodes) expect(each.text(sim, 'key')).toBe('theirs');
  expect(rowOf(each, 'key')).toBe('theirs');
  expect(each.nodes.reduce((sum, sim) => sum + sim.node!.status().spool.conflicts, 0)).toBeGreaterThan(0);
  expect(each.told.get('record.spool_conflict')).toBeGreaterThan(0);
});

const BROKEN: readonly { readonly name: string; readonly mutations: Mutations }[] = [
  { name: 'a node does without PostgreSQL by its own sight: caught', mutations: { spoolByOneNode: true } },
  {
    name: 'what was stored before is acknowledged unmarked: caught',
    mutations: { acknowledgeUnmarked: true },
  },
  { name: 'marks are forgotten at a restart: caught', mutations: { forgetSpoolMarkAtRestart: true } },
  { name: 'a mark goes before PostgreSQL has the row: caught', mutations: { dropMarkBeforeCommit: true } },
  { name: 'a learner does not copy the marks: caught', mutations: { spoolMarksNotLearned: true } },
];

for (const { name, mutations } of BROKEN) {
  it(name, () => {
    let caught: string | null = null;
    for (let seed = 1; seed <= 20 && caught === null; seed += 1)
      caught = runSeed(seed, { profile: PROFILES['outages']!, mutations }).violation;
    expect(caught).not.toBe(null);
  });
}
