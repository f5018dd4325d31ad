/** A row of PostgreSQL that is ahead of what this node holds: a node that may have been removed must not act on it. */
import { expect, test } from 'vitest';
import { ORIGIN_CLIENT } from '../../core/record.ts';
import { slotOf } from '../../core/placement/slots.ts';
import { makeVersion } from '../../core/version.ts';
import { sealRecord } from '../../wire/record-codec.ts';
import { recordKey } from '../../wire/store-codec.ts';
import { ScrubRows } from './rows.ts';
import type { ScrubRowsParts } from './rows.ts';
import type { ScrubRun } from './stage.ts';

const KEY = 'key';
const SLOT = slotOf(KEY);
const ROW = { key: KEY, version: makeVersion(9, 2), checksum: 1, tombstone: false };
const HELD = sealRecord({
  ...{ key: KEY, version: ROW.version, value: new Uint8Array(1), tombstone: false },
  ...{
    createdAt: 0,
    updatedAt: 0,
    expiresAt: 0,
    origin: ORIGIN_CLIENT,
    operationId: null,
    contentType: null,
  },
});

type Done = (error: null, rows: object[]) => void;

/** One key that is not held here, and its row; `leaseFrom` and `view` may change during the comparison. */
function compared() {
  const world = { now: 1_000, leaseFrom: 900, isThere: false, found: [] as string[], isDone: false };
  return comparing(world, {
    scan: (done) => done(null, []),
    read: () => (world.isThere ? { record: { version: ROW.version }, checksum: ROW.checksum } : undefined),
    readRow: (done) => done(null, [{ ...ROW, record: null }]),
    writesThrough: () => true,
  });
}

/**
 * One key that is held here and stored on disk, and has no row; it waits for PostgreSQL until its row has been read.
 */
function drained() {
  const world = { now: 1_000, leaseFrom: 900, isSpooled: true, found: [] as string[], isDone: false };
  const onDisk = [{ key: recordKey(SLOT, KEY), value: HELD.bytes }];
  return comparing(world, {
    scan: (done) => done(null, onDisk.splice(0)),
    read: () => HELD,
    readRow: (done) => {
      world.isSpooled = false;
      done(null, []);
    },
    writesThrough: () => !world.isSpooled,
  });
}

function comparing<World extends { now: number; leaseFrom: number; found: string[]; isDone: boolean }>(
  world: World,
  of: {
    readonly scan: (done: Done) => void;
    readonly read: () => object | undefined;
    readonly readRow: (done: Done) => void;
    readonly writesThrough: () => boolean;
  },
) {
  const parts = {
    clock: { now: () => world.now },
    storage: {
      scan: (...[, , , , done]: [unknown, unknown, unknown, unknown, Done]) => of.scan(done),
    },
    shelf: {
      digests: { isEmpty: (slot: number) => slot !== SLOT },
      read: of.read,
      forgetHot: () => undefined,
    },
    report: {
      open: 0,
      readRows: () => undefined,
      found: (what: string, _slot: number, key: string) => world.found.push(`${what} ${key}`),
    },
    budget: { pace: { mayGo: () => true, spend: () => undefined }, isBusy: () => false },
    systemOfRecord: {
      scan: (_from: unknown, _count: number, done: (error: null, rows: []) => void) => done(null, []),
      scrub: {
        readRows: (slot: number, after: string, _max: number, done: Done) =>
          slot === SLOT && after === '' ? of.readRow(done) : done(null, []),
      },
    },
    ...{ writesThrough: of.writesThrough, leaseFrom: () => world.leaseFrom, floorOf: () => 0 },
    ...{ onDebris: () => undefined, onLoss: () => undefined },
  };
  const run = {
    view: { selfId: 1, topology: { loaded: true }, row: () => ({ owns: true, first: 1 }) },
    replica: { stateOf: () => undefined, refetch: () => undefined, reaffirm: () => true },
    ...{ first: SLOT, end: SLOT + 1 },
  };
  const rows = new ScrubRows(parts as unknown as ScrubRowsParts);
  rows.begin(run as unknown as ScrubRun, () => (world.isDone = true));
  const tick = (ms: number): void => rows.tick((world.now += ms));
  tick(10);
  return { world, tick };
}

test('its lease is from before the row was read: others may have gone on without it, so it reports nothing and waits', () => {
  const { world, tick } = compared();
  for (let n = 0; n < 10; n += 1) tick(100);
  expect(world).toMatchObject({ found: [], isDone: false });
});

test('a lease from after that shows that there was no later epoch: the row is ahead', () => {
  const { world, tick } = compared();
  world.leaseFrom = world.now + 50;
  tick(100);
  expect(world).toMatchObject({ found: [`ahead ${KEY}`], isDone: true });
});

test('it has come meanwhile: nothing is told', () => {
  const { world, tick } = compared();
  world.isThere = true;
  world.leaseFrom = world.now + 50;
  tick(100);
  expect(world).toMatchObject({ found: [], isDone: true });
});

test('it waited for PostgreSQL when it was read here, and came there while its row was looked for: nothing is told', () => {
  const { world, tick } = drained();
  for (let n = 0; n < 3; n += 1) tick(100);
  expect(world).toMatchObject({ found: [], isDone: true });
});
