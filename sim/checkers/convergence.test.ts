/**
 * Shows the checker each way in which copies can differ: it must name the difference, and say nothing if all is well.
 */
import { expect, test } from 'vitest';
import type { KeyRecord } from '../../src/core/record.ts';
import { findDivergence, type ConvergenceInput, type OwnerDump, type RecordDump } from './convergence.ts';

function makeRecord(key: string, version: number, change: Partial<KeyRecord> = {}): KeyRecord {
  return {
    key,
    version,
    origin: 0,
    tombstone: false,
    value: Buffer.from(`value ${version}`),
    createdAt: 1,
    updatedAt: 2,
    expiresAt: 0,
    operationId: null,
    contentType: null,
    ...change,
  };
}

function owner(name: string, ...records: KeyRecord[]): OwnerDump {
  return { name, records: new Map(records.map((record) => [record.key, record])), owns: () => true };
}

function table(...rows: [key: string, version: number, checksum: number][]): RecordDump {
  return {
    rows: new Map(rows.map(([key, version, checksum]) => [key, { version, checksum, tombstone: false }])),
    writtenThrough: (key) => !key.startsWith('local'),
    checksumOf: (record) => record.value.length,
  };
}

const LENGTH = 'value 9'.length;

function check(input: Partial<ConvergenceInput>): string[] {
  const found = findDivergence({ owners: [], record: null, acknowledged: [], ...input });
  return found.map((violation) => `${violation.kind} ${violation.key}`);
}

test('owners and PostgreSQL that hold what was acknowledged: nothing to say', () => {
  const owners = [owner('a', makeRecord('k', 9)), owner('b', makeRecord('k', 9))];
  const acknowledged = [
    { key: 'k', version: 9 },
    { key: 'k', version: 5 },
  ];
  expect(check({ owners, record: table(['k', 9, LENGTH]), acknowledged })).toEqual([]);
});

test('an owner behind, or without, what was acknowledged: is named with what it holds', () => {
  const owners = [owner('a', makeRecord('k', 9)), owner('b', makeRecord('k', 5)), owner('c')];
  const found = findDivergence({ owners, record: null, acknowledged: [{ key: 'k', version: 9 }] });
  expect(found).toEqual([
    { kind: 'lostAtOwner', key: 'k', owner: 'b', acknowledged: 9, held: 5 },
    { kind: 'lostAtOwner', key: 'k', owner: 'c', acknowledged: 9, held: 0 },
    { kind: 'ownersDiffer', key: 'k', owners: ['a', 'b'], difference: 'versions 9 and 5' },
    {
      kind: 'ownersDiffer',
      key: 'k',
      owners: ['a', 'c'],
      difference: 'version 9 stands at one and nothing at the other',
    },
  ]);
});

test('owners with one version and two contents: differ, whatever the field', () => {
  const changes: Partial<KeyRecord>[] = [
    { value: Buffer.from('value X') },
    { value: new Uint8Array(0) },
    { tombstone: true },
    { origin: 1 },
    { createdAt: 7 },
    { updatedAt: 7 },
    { expiresAt: 7 },
    { operationId: new Uint8Array(16) },
  ];
  for (const change of changes) {
    const owners = [owner('a', makeRecord('k', 9)), owner('b', makeRecord('k', 9, change))];
    expect(check({ owners }), JSON.stringify(change)).toEqual(['ownersDiffer k']);
  }
});

test('a node that holds a key it does not own: is not looked at', () => {
  const stranger: OwnerDump = { ...owner('b', makeRecord('k', 5)), owns: () => false };
  expect(check({ owners: [owner('a', makeRecord('k', 9)), stranger] })).toEqual([]);
});

test('PostgreSQL behind, without the row, ahead, or with another content: each is told', () => {
  const owners = [owner('a', makeRecord('k', 9))];
  const acknowledged = [{ key: 'k', version: 9 }];
  expect(check({ owners, acknowledged, record: table(['k', 5, LENGTH]) })).toEqual(['lostInRecord k']);
  expect(check({ owners, acknowledged, record: table() })).toEqual(['lostInRecord k']);
  expect(check({ owners, acknowledged, record: table(['k', 12, LENGTH]) })).toEqual(['recordDiffers k']);
  expect(check({ owners, acknowledged, record: table(['k', 9, LENGTH + 1]) })).toEqual(['recordDiffers k']);
  expect(check({ owners, record: table(['k', 9, LENGTH], ['ghost', 3, 1]) })).toEqual([
    'recordDiffers ghost',
  ]);
});

test('a key that is not written through: PostgreSQL owes it nothing', () => {
  const owners = [owner('a', makeRecord('local', 9))];
  expect(check({ owners, acknowledged: [{ key: 'local', version: 9 }], record: table() })).toEqual([]);
});

test('a deletion was forgotten: absence stands for it and for what was before, and for nothing else', () => {
  const acknowledged = [{ key: 'k', version: 9 }];
  const forgotten = (): number => 9;
  const deleted = owner('b', makeRecord('k', 9, { tombstone: true }));
  expect(check({ owners: [owner('a'), owner('b')], acknowledged, forgotten })).toEqual([]);
  expect(check({ owners: [owner('a'), deleted], acknowledged, forgotten })).toEqual([]);
  expect(check({ owners: [owner('a'), owner('b')], acknowledged })).toEqual([
    'lostAtOwner k',
    'lostAtOwner k',
  ]);
  const later = [{ key: 'k', version: 11 }];
  expect(check({ owners: [owner('a')], acknowledged: later, forgotten })).toEqual(['lostAtOwner k']);
  const value = owner('b', makeRecord('k', 7));
  expect(check({ owners: [owner('a'), value], forgotten })).toEqual(['ownersDiffer k']);
});

test('a value stands in PostgreSQL, and its owner has forgotten a later deletion: it has come back', () => {
  const forgotten = (): number => 9;
  const owners = [owner('a')];
  expect(check({ owners, record: table(['k', 7, LENGTH]), forgotten })).toEqual(['recordDiffers k']);
  expect(check({ owners, record: table(), forgotten })).toEqual([]);
});
