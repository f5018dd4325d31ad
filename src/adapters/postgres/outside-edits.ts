/** Reads and settles changes of rows by hand. */
import type { OutsideEdit } from '../../core/system-of-record/outside-edits.ts';
import { RECORD_BATCH_BYTES_MAX } from '../../core/limits.ts';
import { EMPTY_VALUE } from '../../core/record.ts';
import type { OutsideEdits, WrittenEdit } from '../../ports/outside-edits.ts';
import { packBooleans, packInt8s, packTexts } from './binary-array.ts';
import { checkLife } from './commit-rows.ts';
import type { Connection, Fields } from './connection.ts';
import { deliver } from './deliver.ts';
import { READ_EDITS, SETTLE_EDITS, STAMP_EDITS } from './outside-statements.ts';

/** A separate call, whose success does not show that the server takes rows. */
export type Aside = <T>(work: (connection: Connection, deadline: number) => Promise<T>) => Promise<T>;

export function outsideEdits({ read, write }: { readonly read: Aside; readonly write: Aside }): OutsideEdits {
  return {
    readEdits: (afterId, editCountMax, ageMs, done) =>
      deliver(
        read((connection, deadline) => readEdits(connection, afterId, editCountMax, ageMs, deadline)),
        done,
        [],
      ),
    stampEdits: (life, edits, stampMs, done) =>
      deliver(
        write((connection, deadline) => stampEdits(connection, life, edits, stampMs, deadline)),
        done,
        undefined,
      ),
    settleEdits: (life, written, others, done) =>
      deliver(
        write((connection, deadline) => settleEdits(connection, life, written, others, deadline)),
        done,
        [],
      ),
  };
}

async function readEdits(
  connection: Connection,
  afterId: number,
  editCountMax: number,
  ageMs: number,
  deadline: number,
): Promise<OutsideEdit[]> {
  const values = [afterId, editCountMax, Math.ceil(ageMs), RECORD_BATCH_BYTES_MAX];
  const rows = await connection.run(READ_EDITS, values, deadline);
  return rows.map(editFromFields);
}

function editFromFields(fields: Fields): OutsideEdit {
  return {
    id: fields[0] as number,
    key: fields[1] as string,
    base: fields[2] as number,
    onValue: fields[3] as boolean,
    stands: fields[4] as boolean,
    deleted: fields[5] as boolean,
    value: fields[6] === null ? EMPTY_VALUE : (fields[6] as Uint8Array),
    contentType: fields[7] as string | null,
    expiresAt: fields[8] === null ? 0 : (fields[8] as number),
    stampMs: fields[9] as number,
  };
}

async function stampEdits(
  connection: Connection,
  life: number,
  edits: readonly OutsideEdit[],
  stampMs: number,
  deadline: number,
): Promise<void> {
  const ids = packInt8s(edits.map(({ id }) => id));
  const stamps = packInt8s(edits.map((edit) => edit.stampMs));
  const [reply] = await connection.run(STAMP_EDITS, [life, ids, stamps, Math.floor(stampMs)], deadline);
  checkLife((reply?.[0] ?? null) as number | null, life);
}

async function settleEdits(
  connection: Connection,
  life: number,
  written: readonly WrittenEdit[],
  others: readonly OutsideEdit[],
  deadline: number,
): Promise<WrittenEdit[]> {
  const ids = [...written.map(({ edit }) => edit.id), ...others.map(({ id }) => id)];
  const values = [
    life,
    packInt8s(ids),
    packInt8s(written.map(({ edit }) => edit.id)),
    packTexts(written.map(({ edit }) => edit.key)),
    packInt8s(written.map(({ edit }) => edit.base)),
    packInt8s(written.map(({ version }) => version)),
    packBooleans(written.map(({ edit }) => !edit.deleted)),
    packInt8s(others.map(({ id }) => id)),
  ];
  const [reply] = await connection.run(SETTLE_EDITS, values, deadline);
  checkLife((reply?.[0] ?? null) as number | null, life);
  const found = new Map(JSON.parse((reply?.[1] ?? '[]') as string) as [number, number][]);
  return others.filter(({ id }) => found.has(id)).map((edit) => ({ edit, version: found.get(edit.id)! }));
}
