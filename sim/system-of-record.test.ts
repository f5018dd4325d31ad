/** The simulated database fulfils the contract of the real one, and fails in the ways that it is told to. */
import { describe, expect, test } from 'vitest';
import { Prng } from '../src/base/prng.ts';
import type { CommitResult, RecordError } from '../src/ports/system-of-record.ts';
import { makeRow, type RecordWorld } from '../test/contracts/record-calls.ts';
import { outsideEditContract } from '../test/contracts/outside-edits.ts';
import { systemOfRecordContract } from '../test/contracts/system-of-record.ts';
import { Scheduler, type Life } from './scheduler.ts';
import {
  SIM_DATABASE_CALM,
  SIM_DATABASE_ROUGH,
  SimDatabase,
  type SimDatabaseSettings,
} from './system-of-record.ts';

const alive = (): Life => ({ alive: true, pausedUntil: 0 });

function databaseWorld(): RecordWorld & { readonly database: SimDatabase } {
  const scheduler = new Scheduler();
  const database = new SimDatabase(scheduler, new Prng(1), { ...SIM_DATABASE_CALM, shortPageShare: 0.2 });
  return {
    database,
    connect: async () => database.connect(alive()),
    run: (begin) =>
      new Promise((resolve) => {
        let answered = false;
        begin((value) => {
          answered = true;
          resolve(value);
        });
        while (!answered && scheduler.step(Infinity));
      }),
    exchange: async (key, value) => {
      const row = database.standing(key)!;
      database.forge(key, { ...row, record: { ...row.record, value: Buffer.from(value) } });
    },
    close: async () => {},
  };
}

systemOfRecordContract('simulation', async () => databaseWorld());

interface Outcome {
  readonly error: RecordError | null;
  readonly results: readonly CommitResult[];
}

function makeSim(
  settings: Partial<SimDatabaseSettings>,
  seed = 1,
): { scheduler: Scheduler; database: SimDatabase } {
  const scheduler = new Scheduler();
  const database = new SimDatabase(scheduler, new Prng(seed), { ...SIM_DATABASE_CALM, ...settings });
  database.found(0, 'cluster');
  return { scheduler, database };
}

describe('the simulated system of record, when things go wrong', () => {
  test('a reply that is lost: unknown, and the row stands', () => {
    const { scheduler, database } = makeSim({ replyLostShare: 1 });
    const outcomes: Outcome[] = [];
    database
      .connect(alive())
      .commit(1, [makeRow('a', 1)], (error, results) => outcomes.push({ error, results }));
    scheduler.runUntil(5_000);
    expect(outcomes).toMatchObject([{ error: { kind: 'unknown', fenced: false } }]);
    expect(database.standing('a')).toBeDefined();
  });

  test('a statement that fails: unknown, and the row does not stand', () => {
    const { scheduler, database } = makeSim({ failedShare: 1 });
    const outcomes: Outcome[] = [];
    database
      .connect(alive())
      .commit(1, [makeRow('a', 1)], (error, results) => outcomes.push({ error, results }));
    scheduler.runUntil(5_000);
    expect(outcomes).toMatchObject([{ error: { kind: 'unknown' } }]);
    expect(database.standing('a')).toBeUndefined();
  });

  test('a statement that hangs: unknown first, committed later, although its node has died', () => {
    const { scheduler, database } = makeSim({ lateShare: 1, lateMsMax: 2_000 });
    const life = alive();
    let reported = false;
    database.connect(life).commit(1, [makeRow('a', 1)], () => (reported = true));
    scheduler.runUntil(database.settings.timeoutMs);
    expect(reported).toBe(true);
    expect(database.standing('a')).toBeUndefined();
    life.alive = false;
    scheduler.runUntil(5_000);
    expect(database.standing('a')).toBeDefined();
  });

  test('a statement that hangs over a founding: fenced when it comes', () => {
    const { scheduler, database } = makeSim({ lateShare: 1, lateMsMax: 2_000 });
    database.connect(alive()).commit(1, [makeRow('a', 1)], () => {});
    scheduler.runUntil(database.settings.timeoutMs);
    database.found(1, 'again');
    scheduler.runUntil(5_000);
    expect(database.standing('a')).toBeUndefined();
  });

  test('a node that dies after sending: nobody is told, the row stands', () => {
    const { scheduler, database } = makeSim({});
    const life = alive();
    let told = false;
    database.connect(life).commit(1, [makeRow('a', 1)], () => (told = true));
    life.alive = false;
    scheduler.runUntil(5_000);
    expect(told).toBe(false);
    expect(database.standing('a')).toBeDefined();
  });

  test('an outage: refused while it lasts, health goes down and comes back by itself', () => {
    const { scheduler, database } = makeSim({});
    const record = database.connect(alive());
    const kinds: (string | undefined)[] = [];
    database.goDown(3_000);
    record.commit(1, [makeRow('a', 1)], (error) => kinds.push(error?.kind));
    scheduler.runUntil(1_000);
    expect(kinds).toEqual(['refused']);
    expect(record.health()).toMatchObject({ state: 'down' });
    scheduler.runUntil(6_000);
    expect(record.health()).toEqual({ state: 'up' });
    record.commit(1, [makeRow('a', 1)], (error) => kinds.push(error?.kind));
    scheduler.runUntil(7_000);
    expect(kinds).toEqual(['refused', undefined]);
  });

  test('an outage that begins under way: unknown, never success', () => {
    const { scheduler, database } = makeSim({ latencyMsMin: 5, latencyMsMax: 6 });
    const kinds: (string | undefined)[] = [];
    const record = database.connect(alive());
    record.commit(1, [makeRow('a', 1)], (error) => kinds.push(error?.kind));
    scheduler.runUntil(8);
    database.goDown(1_000);
    scheduler.runUntil(5_000);
    expect(kinds).toEqual(['unknown']);
  });

  test('a failover that lost its tail: the newest rows are older or gone, the identity is another', () => {
    const { database } = makeSim({});
    database.apply(1, [makeRow('a', 1)]);
    const before = database.founding()!.identity;
    database.apply(1, [makeRow('a', 2), makeRow('b', 2)]);
    database.failOver(2);
    expect(database.standing('a')!.checksum).toBe(makeRow('a', 1).checksum);
    expect(database.standing('b')).toBeUndefined();
    expect(database.founding()!.identity).not.toBe(before);
  });

  test('the same seed gives the same run, another seed another', () => {
    const trace = (seed: number): string => {
      const { scheduler, database } = makeSim(SIM_DATABASE_ROUGH, seed);
      const record = database.connect(alive());
      const lines: string[] = [];
      for (let i = 0; i < 300; i += 1) {
        const row = makeRow(`k${i % 7}`, i + 1);
        record.commit(1, [row], (error, results) =>
          lines.push(`${scheduler.time} ${i} ${error?.kind ?? results[0]!.kind}`),
        );
      }
      scheduler.runUntil(10_000);
      expect(lines).toHaveLength(300);
      return lines.join('\n');
    };
    expect(trace(5)).toBe(trace(5));
    expect(trace(5)).not.toBe(trace(6));
    for (const kind of ['unknown', 'higher', 'committed']) expect(trace(5)).toContain(kind);
  });
});

outsideEditContract('simulation', async () => {
  const { database, ...world } = databaseWorld();
  const hand = {
    put: async (key: string, value: string) => void database.edit(key, Buffer.from(value)),
    remove: async (key: string) => void database.edit(key, null),
  };
  database.isEdited = true;
  return { ...world, hand };
});
