/**
 * The verdict, pure: given what clients were told and what is stored everywhere afterwards, which promises were broken?
 * Every acknowledged write is looked up at every owner and in PostgreSQL, version by version, and the whole history
 * must have an order that a single copy could have followed.
 */
import {
  findDivergence,
  type AcknowledgedWrite,
  type ConvergenceViolation,
} from '../sim/checkers/convergence.ts';
import type { HistoryOperation } from '../sim/checkers/history.ts';
import { checkHistory } from '../sim/checkers/linearizability.ts';
import type { KeyRecord } from '../src/core/record.ts';
import { sealRecord } from '../src/wire/record-codec.ts';
import type { Survey } from './survey.ts';
import { textOf } from './call.ts';

export interface Evidence {
  /** Including the reads of the survey. */
  readonly history: readonly HistoryOperation[];
  readonly survey: Survey;
  /** Number of owners that every key must have. */
  readonly ownerCount: number;
}

/** In words; empty if every promise held. */
export function findFaults(evidence: Evidence): string[] {
  return [
    ...divergence(evidence),
    ...wrongOwners(evidence),
    ...wrongValues(evidence),
    ...unreadable(evidence),
    ...disorder(evidence),
  ];
}

export function acknowledgedWrites(history: readonly HistoryOperation[]): AcknowledgedWrite[] {
  return history.flatMap(({ key, outcome }) =>
    outcome.kind === 'done' && outcome.version !== undefined ? [{ key, version: outcome.version }] : [],
  );
}

function divergence({ history, survey }: Evidence): string[] {
  const owners = survey.stores.map(({ node, byKey }) => ({
    name: node,
    records: new Map(
      [...byKey].flatMap(([key, { record }]) => (record === undefined ? [] : [[key, record] as const])),
    ),
    owns: (key: string) => byKey.get(key)?.owner === true,
  }));
  const record = {
    rows: survey.rows,
    writtenThrough: () => true,
    // A node does not report the operation id, so that of the row is used instead.
    checksumOf: (held: KeyRecord) =>
      sealRecord({ ...held, operationId: survey.rows.get(held.key)?.operationId ?? null }).checksum,
  };
  return findDivergence({ owners, record, acknowledged: acknowledgedWrites(history) }).map(describe);
}

function describe(violation: ConvergenceViolation): string {
  const { kind, key } = violation;
  switch (kind) {
    case 'lostAtOwner':
      return `${key}: version ${violation.acknowledged} was acknowledged, ${violation.owner} holds ${violation.held}`;
    case 'ownersDiffer':
      return `${key}: ${violation.owners.join(' and ')} differ: ${violation.difference}`;
    case 'lostInRecord':
      return `${key}: version ${violation.acknowledged} was acknowledged, PostgreSQL holds ${violation.held}`;
    case 'recordDiffers':
      return `${key}: PostgreSQL and ${violation.owner} differ: ${violation.difference}`;
  }
}

function wrongOwners({ survey, ownerCount }: Evidence): string[] {
  const faults: string[] = [];
  for (const key of survey.stores[0]?.byKey.keys() ?? []) {
    const held = survey.stores.map(({ byKey }) => byKey.get(key)).filter((one) => one?.owner === true);
    if (held.length !== ownerCount) faults.push(`${key}: ${held.length} owners instead of ${ownerCount}`);
    // If nothing is held of a key, nothing of it can be valid.
    if (held.some((one) => one?.record !== undefined && !one.valid))
      faults.push(`${key}: not valid at an owner, at rest`);
  }
  return faults;
}

/** An acknowledged version must have the value that was written. */
function wrongValues({ history, survey }: Evidence): string[] {
  const written = new Map<number, Map<string, string | null>>();
  for (const operation of history) {
    const { key, outcome } = operation;
    const value = valueWritten(operation);
    if (value === undefined || outcome.kind !== 'done' || outcome.version === undefined) continue;
    const byKey = written.get(outcome.version) ?? new Map<string, string | null>();
    written.set(outcome.version, byKey);
    // Several operations combined into one round share a version, which has the value of the last one.
    byKey.set(key, byKey.has(key) ? SHARED : value);
  }
  const faults: string[] = [];
  for (const { node, byKey } of survey.stores) {
    for (const [key, { owner, record }] of byKey) {
      if (!owner || record === undefined) continue;
      const wanted = written.get(record.version)?.get(key);
      if (wanted === undefined || wanted === SHARED) continue;
      const stands = record.tombstone ? null : textOf(record.value);
      if (stands !== wanted) {
        faults.push(`${key}: version ${record.version} was written as ${wanted}, ${node} holds ${stands}`);
      }
    }
  }
  return faults;
}

const SHARED = '\0shared';

/** Undefined if it wrote nothing, or if nobody was told what. */
function valueWritten({ call, outcome }: HistoryOperation): string | null | undefined {
  if (outcome.kind !== 'done') return undefined;
  switch (call.kind) {
    case 'put':
    case 'compareAndPut':
      return call.value;
    case 'delete':
    case 'compareAndDelete':
      return null;
    case 'increment':
      return outcome.number === undefined ? undefined : String(outcome.number);
    // The result of a list of changes is not reported.
    case 'modify':
    case 'get':
    case 'fill':
    case 'loss':
      return undefined;
  }
}

function unreadable({ survey }: Evidence): string[] {
  return survey.reads
    .filter(({ outcome }) => outcome.kind !== 'value')
    .map(({ node, key }) => `${key}: ${node} cannot read it, at rest`);
}

/** Without examining the cluster, this is all that can be judged. */
export function disorder({ history }: Pick<Evidence, 'history'>): string[] {
  const verdict = checkHistory(history, { versionsOrder: true });
  if (verdict.kind === 'ok') return [];
  return [`${verdict.key}: ${verdict.kind}: ${verdict.explanation}`];
}
