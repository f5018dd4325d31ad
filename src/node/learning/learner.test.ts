/** Catching up, seen through its messages: which owner's answer counts for a slot. */
import { expect, test } from 'vitest';
import { CopyPace } from '../../core/copying/copy-pace.ts';
import { SLOT_RUN_SLOTS_MAX } from '../../core/copying/copy-limits.ts';
import type { SlotFloor } from '../../core/upkeep/floors.ts';
import type { LearnDifferences, PeerMessage } from '../../core/message.ts';
import { SLOT_COPY_RECORDS_MAX, SLOT_COUNT } from '../../core/limits.ts';
import { EMPTY_VALUE, ORIGIN_CLIENT } from '../../core/record.ts';
import type { Replica } from '../../core/replication/replica.ts';
import { SlotView } from '../../core/replication/slot-view.ts';
import type { Topology } from '../../core/membership/topology.ts';
import type { Storage, StorageEntry } from '../../ports/storage.ts';
import { sealRecord } from '../../wire/record-codec.ts';
import { recordKey } from '../../wire/store-codec.ts';
import { Learner } from './learner.ts';
import type { LearnerParts } from './learner.ts';
import { SlotDigests } from '../store/slot-digests.ts';

const SELF = 1;
const SEALED = sealRecord({
  ...{ key: 'key', version: 4097, origin: ORIGIN_CLIENT, tombstone: false, value: EMPTY_VALUE },
  ...{ createdAt: 1, updatedAt: 1, expiresAt: 0, operationId: null, contentType: null },
});

/** Even slots belong to 1, 2 and 3, odd ones to 1, 3 and 4; member 1 learns all of them. */
function topologyOf(): Topology {
  const member = (id: number): Topology['members'][number] => ({
    ...{ id, name: `node-${id}`, address: `host-${id}:1`, incarnation: 1, alive: true },
    ...{ zone: '', host: '', weight: 1 },
  });
  return {
    ...{
      epoch: 7,
      clusterId: 'c',
      life: 1,
      replicaCount: 3,
      ownerCountMin: 2,
      leaseMs: 600,
      clockDrift: 0.01,
      healAfterMs: 0,
    },
    members: [1, 2, 3, 4].map(member),
    council: [1, 2, 3],
    nextId: 5,
    rows: [
      { owners: [1, 2, 3], complete: [2, 3] },
      { owners: [1, 3, 4], complete: [3, 4] },
    ],
    slotRow: Uint16Array.from({ length: SLOT_COUNT }, (_, slot) => slot % 2),
    placed: [1, 2, 3, 4],
    floorCounter: 1,
    loaded: true,
  };
}

interface Scene {
  readonly learner: Learner;
  readonly sent: { readonly to: number; readonly message: PeerMessage }[];
  readonly verified: Set<number>;
  readonly floors: SlotFloor[];
  /** The sources' floors when the slots are compared. */
  readonly sources: SlotFloor[];
  /** Pending reads; calling one answers it with what the disk holds then. */
  readonly pages: (() => void)[];
  readonly entries: StorageEntry[];
  at: number;
}

function begin(topology = topologyOf()): Scene {
  const sent: Scene['sent'] = [];
  const verified = new Set<number>();
  const floors: SlotFloor[] = [];
  const sources: SlotFloor[] = [];
  const pages: Scene['pages'] = [];
  const digests = new SlotDigests();
  digests.add(0, 4097, 7, false);
  const scene = { sent, verified, floors, sources, pages, entries: [] as StorageEntry[], at: 0 };
  const parts = {
    clock: { now: () => scene.at },
    shelf: {
      isVerified: (slot: number) => verified.has(slot),
      wasLowered: () => false,
      copiedThroughOf: () => '',
      visitUnverified: (slots: Uint16Array, visit: (slot: number) => void) =>
        slots.forEach((slot) => verified.has(slot) || visit(slot)),
      setVerified: (slot: number) => void verified.add(slot),
      digests,
    },
    writer: { barrier: (done: () => void) => done() },
    floors: {
      raise: (floor: SlotFloor) => void floors.push(floor),
      forgotten: { onSource: (slot: number, floor: number) => void sources.push({ slot, counter: floor }) },
    },
    storage: {
      scan: (...[, , , , done]: Parameters<Storage['scan']>) =>
        void pages.push(() => done(null, scene.entries)),
    },
    leftInFlight: { restore: () => undefined, forget: () => undefined },
    operations: { onTopology: () => undefined, end: () => undefined, isDone: true },
    recovery: { begin: () => undefined, end: () => undefined, tick: () => undefined },
    send: (to: number, message: PeerMessage) => void sent.push({ to, message }),
    isLinked: () => true,
    pace: new CopyPace(0, 0),
    clientDelayFactor: () => 0,
    mutations: {},
  } as unknown as LearnerParts;
  const learner = new Learner(parts);
  learner.onTopology(new SlotView(topology, SELF), {} as Replica);
  return Object.assign(scene, { learner });
}

/** The answer of an owner that finds no difference in the slots it owns, and cannot tell about others. */
function equalAnswer(question: PeerMessage): LearnDifferences {
  if (question.kind !== 'learnDigests') throw new Error(`a ${question.kind} was asked`);
  const { session, slots } = question;
  return {
    kind: 'learnDifferences',
    session,
    slotFirst: slots[0]!,
    slotCount: slots.length,
    differing: [],
    floors: [{ slot: slots[0]!, counter: 7 }],
  };
}

test('an owner answers: exactly the slots that it owns are confirmed', () => {
  const { learner, sent, verified } = begin();
  expect(sent[0]!.to).toBe(2);
  learner.onMessage(2, equalAnswer(sent[0]!.message));
  expect([verified.has(0), verified.has(1)]).toEqual([true, false]);
});

test('an owner has raised the floor of a slot: who learns it has that floor before anything of the slot', () => {
  const { learner, sent, floors, sources, verified } = begin();
  expect([...floors, ...verified]).toEqual([]);
  learner.onMessage(2, equalAnswer(sent[0]!.message));
  expect(floors).toEqual([{ slot: 0, counter: 7 }]);
  expect(sources.slice(0, 2)).toEqual([
    { slot: 0, counter: 7 },
    { slot: 2, counter: 0 },
  ]);
});

test('owners in the same order for all slots: no single one is asked for everything that is copied', () => {
  const { sent, learner, pages } = begin({ ...topologyOf(), slotRow: new Uint16Array(SLOT_COUNT) });
  const copied = 8 * SLOT_RUN_SLOTS_MAX;
  for (let at = 0; at < sent.length; at += 1) {
    const { to, message } = sent[at]!;
    for (const answer of pages.splice(0)) answer();
    if (message.kind === 'learnDigests')
      learner.onMessage(to, {
        ...equalAnswer(message),
        differing: [...message.slots].filter((slot) => slot < copied),
      });
    else if (message.kind === 'learnPull')
      learner.onMessage(to, {
        ...{ kind: 'learnFrame', session: message.session, slot: message.slot },
        ...{ afterKey: '', records: [], same: [], last: true },
      });
  }
  const pulls = sent.filter(({ message }) => message.kind === 'learnPull');
  const of = (member: number): number => pulls.filter(({ to }) => to === member).length;
  expect([of(2), of(3)]).toEqual([copied / 2, copied / 2]);
});

test('an owner answers late, when another is asked already: it confirms nothing in the name of the other', () => {
  const scene = begin();
  const { learner, sent, verified } = scene;
  scene.at = 10_000;
  learner.tick();
  expect(sent.map(({ to }) => to)).toEqual([2, 3]);
  learner.onMessage(2, equalAnswer(sent[0]!.message));
  expect([...verified]).toEqual([]);
  learner.onMessage(3, equalAnswer(sent[1]!.message));
  expect([verified.has(0), verified.has(1)]).toEqual([true, true]);
});

/** Every owner that is asked answers at once: only slot 0 differs. */
function compareAll({ learner, sent }: Scene): void {
  for (let at = 0; at < sent.length; at += 1) {
    const { to, message } = sent[at]!;
    if (message.kind !== 'learnDigests') continue;
    learner.onMessage(to, { ...equalAnswer(message), differing: message.slots[0] === 0 ? [0] : [] });
  }
}

/**
 * An owner finds that slot 0 differs; it is sent a first page of offered records, and then answers that the slot is
 * empty.
 */
function pullOfSlot0(scene: Scene): void {
  const entry = { key: recordKey(0, 'key'), value: SEALED.bytes };
  scene.entries.push(...Array.from({ length: SLOT_COPY_RECORDS_MAX }, () => entry));
  const { learner, sent } = scene;
  compareAll(scene);
  scene.pages.shift()!();
  scene.entries.length = 0;
  const asked = sent.findIndex(({ message }) => message.kind === 'learnPull');
  learner.onMessage(sent[asked]!.to, {
    ...{ kind: 'learnFrame', session: 7, slot: 0, afterKey: '', records: [], same: [], last: true },
  });
}

test('a slot is copied: it counts once this disk has told what it has of it', () => {
  const scene = begin();
  pullOfSlot0(scene);
  expect(scene.verified.has(0)).toBe(false);
  scene.pages.shift()!();
  expect(scene.verified.has(0)).toBe(true);
});

test('a learner is removed from the epoch while its disk is read for a copy: the copy does not count', () => {
  const scene = begin();
  pullOfSlot0(scene);
  scene.learner.end();
  scene.pages.shift()!();
  expect(scene.verified.has(0)).toBe(false);
});

test('a learner is removed from the epoch: it no longer reports that it copies', () => {
  const { learner } = begin();
  expect(learner.copyStatus().slotsTotal).toBeGreaterThan(0);
  learner.end();
  expect(learner.copyStatus().slotsTotal).toBe(0);
});

test('a source does not answer and another is asked: both are told of one reading of the disk, whatever it holds by now', () => {
  const scene = begin();
  const { learner, sent, pages } = scene;
  const value = SEALED.bytes;
  scene.entries.push({ key: recordKey(0, 'key'), value });
  compareAll(scene);
  pages.shift()!();
  scene.entries.length = 0;
  scene.at = 10_000;
  learner.tick();
  for (const page of pages) page();
  const pulls = sent.flatMap(({ to, message }) =>
    message.kind === 'learnPull' ? [{ to, offered: message.offered }] : [],
  );
  const offered = [{ version: 4097, checksum: SEALED.checksum }];
  expect(pulls).toEqual([
    { to: 2, offered },
    { to: 3, offered },
  ]);
});
