/** The founding row in PostgreSQL: only one founder can take it, and it says where versions begin. */
import { describe, expect, it } from 'vitest';
import type { StandingLife } from '../../core/lives/lives.ts';
import type { Founding, RecordError } from '../../ports/system-of-record.ts';
import { readLife, takeFounding } from './founding.ts';
import type { FoundingFacts } from './founding.ts';

/** A founding row, and the answer to an attempt to take it. */
function record(
  standing: Founding | null,
  taken: (expectLife: number) => Founding | null,
  error?: RecordError,
) {
  return {
    readLife: (done: (error: RecordError | null, standing: StandingLife | null) => void) =>
      done(error ?? null, standing === null ? null : { ...standing, lineage: [], sign: null }),
    found: (expectLife: number, _id: string, done: (error: null, founding: Founding | null) => void) =>
      done(null, taken(expectLife)),
  } as unknown as Parameters<typeof takeFounding>[0];
}

function take(from: Parameters<typeof takeFounding>[0]): FoundingFacts | string {
  let result: FoundingFacts | string = 'no answer';
  readLife(from, (stands) => {
    if (typeof stands === 'string') result = stands;
    else takeFounding(from, stands?.life ?? 0, 'mine', (answer) => (result = answer));
  });
  return result;
}

const row = {
  clusterId: 'mine',
  life: 3,
  identity: { system: 's', timeline: 2 },
  highestVersion: 5 * 4096 + 2,
  hasRows: true,
};

describe('takeFounding', () => {
  it('no system of record: the first life, with nothing to load', () => {
    expect(take(null)).toEqual({ clusterId: 'mine', life: 1, floorCounter: 1, loaded: true, record: null });
  });

  it('a database with rows of an earlier life: the next life starts above the highest version', () => {
    const from = record({ ...row, clusterId: 'old', life: 2 }, (expect) => ({ ...row, life: expect + 1 }));
    const standing = { system: 's', timeline: 2, drive: 0, driven: true };
    expect(take(from)).toEqual({
      ...{ clusterId: 'mine', life: 3, floorCounter: 6, loaded: false },
      record: standing,
    });
  });

  it('another founder was faster: not taken', () => {
    expect(take(record(null, () => ({ ...row, clusterId: 'other', life: 1 })))).toContain('another');
  });

  it('the database is down: the reason', () => {
    const error: RecordError = { kind: 'refused', fenced: false, message: 'no route' };
    expect(take(record(null, () => null, error))).toContain('no route');
  });
});
