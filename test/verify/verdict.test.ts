/** The verdict on runs: each kind of broken promise, planted in an otherwise good run, is reported. */
import { describe, expect, test } from 'vitest';
import type { HistoryCall, HistoryOperation, HistoryOutcome } from '../../sim/checkers/history.ts';
import type { KeyRecord } from '../../src/core/record.ts';
import { sealRecord } from '../../src/wire/record-codec.ts';
import type { Held, Row } from '../../verify/survey.ts';
import { findFaults, type Evidence } from '../../verify/verdict.ts';

const NODES = ['node-1', 'node-2', 'node-3'];
const OLD = 8_193;
const NEW = 12_289;

function recordOf(version: number, value: string, tombstone = false): KeyRecord {
  return {
    key: 'a',
    version,
    origin: 0,
    tombstone,
    value: Buffer.from(value),
    createdAt: 1_000,
    updatedAt: 1_000 + version,
    expiresAt: 0,
    operationId: null,
    contentType: null,
  };
}

function rowOf(record: KeyRecord): Row {
  return { version: record.version, checksum: sealRecord(record).checksum, operationId: null };
}

function operation(at: number, call: HistoryCall, outcome: HistoryOutcome): HistoryOperation {
  return { key: 'a', client: 1, call, outcome, invokedAt: at, returnedAt: at + 1 };
}

/** Two writes and a read; all three owners and PostgreSQL have the second write. */
function goodRun(): { history: HistoryOperation[]; held: Map<string, Held>; rows: Map<string, Row> } {
  const record = recordOf(NEW, 'two');
  return {
    history: [
      operation(1, { kind: 'put', value: 'one' }, { kind: 'done', version: OLD }),
      operation(3, { kind: 'put', value: 'two' }, { kind: 'done', version: NEW }),
      operation(5, { kind: 'get' }, { kind: 'value', value: 'two', version: NEW }),
    ],
    held: new Map(NODES.map((name) => [name, { owner: true, valid: true, record }])),
    rows: new Map([['a', rowOf(record)]]),
  };
}

function faultsOf({ history, held, rows }: ReturnType<typeof goodRun>): string {
  const stores = [...held].map(([node, one]) => ({ node, byKey: new Map([['a', one]]) }));
  const evidence: Evidence = { history, survey: { reads: [], stores, rows }, ownerCount: 3 };
  return findFaults(evidence).join('\n');
}

describe('the verdict on a run', () => {
  test('all is well: no faults', () => {
    expect(faultsOf(goodRun())).toBe('');
  });

  test('an acknowledged write that an owner never got: told, with that owner', () => {
    const run = goodRun();
    run.held.set('node-2', { owner: true, valid: true, record: recordOf(OLD, 'one') });
    expect(faultsOf(run)).toContain(`version ${NEW} was acknowledged, node-2 holds ${OLD}`);
  });

  test('an acknowledged write that all owners lost: told', () => {
    const run = goodRun();
    for (const name of NODES) run.held.set(name, { owner: true, valid: false, record: undefined });
    expect(faultsOf(run)).toContain(`version ${NEW} was acknowledged, node-1 holds 0`);
  });

  test('an acknowledged write that PostgreSQL lacks or holds in an older version: told', () => {
    const run = goodRun();
    run.rows.clear();
    expect(faultsOf(run)).toContain(`version ${NEW} was acknowledged, PostgreSQL holds 0`);
    run.rows.set('a', rowOf(recordOf(OLD, 'one')));
    expect(faultsOf(run)).toContain(`version ${NEW} was acknowledged, PostgreSQL holds ${OLD}`);
  });

  test('the right version with another content, in PostgreSQL or everywhere: told', () => {
    const run = goodRun();
    run.rows.set('a', rowOf(recordOf(NEW, 'other')));
    expect(faultsOf(run)).toContain(`version ${NEW} stands with another content`);
    const record = recordOf(NEW, 'other');
    for (const name of NODES) run.held.set(name, { owner: true, valid: true, record });
    expect(faultsOf(run)).toContain(`version ${NEW} was written as two, node-1 holds other`);
  });

  test('a deletion that stands as a value: told', () => {
    const run = goodRun();
    run.history[1] = operation(3, { kind: 'delete' }, { kind: 'done', version: NEW });
    run.history.pop();
    expect(faultsOf(run)).toContain(`version ${NEW} was written as null, node-1 holds two`);
  });

  test('a stale read: told', () => {
    const run = goodRun();
    run.history.push(operation(7, { kind: 'get' }, { kind: 'value', value: 'one', version: OLD }));
    expect(faultsOf(run)).toContain('a: violation');
  });

  test('a value that nobody has seen to be written is read: told', () => {
    const run = goodRun();
    run.history.push(operation(7, { kind: 'get' }, { kind: 'value', value: 'three', version: NEW + 4_096 }));
    expect(faultsOf(run)).toContain('a: violation');
  });

  test('a key with too few owners, or invalid at one of them when all is at rest: told', () => {
    const run = goodRun();
    const record = recordOf(NEW, 'two');
    run.held.set('node-3', { owner: false, valid: true, record });
    expect(faultsOf(run)).toContain('2 owners instead of 3');
    run.held.set('node-3', { owner: true, valid: false, record });
    expect(faultsOf(run)).toContain('not valid at an owner');
  });

  test('a key that cannot be read when all is at rest: told', () => {
    const { history } = goodRun();
    const reads = [{ node: 'node-1', key: 'a', outcome: { kind: 'definiteFailure' } as const }];
    const survey = { reads, stores: [], rows: new Map<string, Row>() };
    expect(findFaults({ history, survey, ownerCount: 3 }).join()).toContain('node-1 cannot read it');
  });
});
