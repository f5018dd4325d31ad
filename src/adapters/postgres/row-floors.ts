/** The floors of slots in PostgreSQL, and the removal of rows below them. (PROTOCOL R24) */
import type { SlotFloor } from '../../core/upkeep/floors.ts';
import { versionOfFloor } from '../../core/system-of-record/record-floors.ts';
import { VERSION_NONE, counterOf } from '../../core/version.ts';
import type { DoomedRow, RecordFloor, RemovalOutcome } from '../../ports/system-of-record.ts';
import { packBooleans, packInt4s, packInt8s, packTexts } from './binary-array.ts';
import { checkLife } from './commit-rows.ts';
import type { Connection } from './connection.ts';
import { runLocking } from './lock-waits.ts';
import { READ_FLOORS, STANDING } from './statements.ts';

export async function readFloors(
  connection: Connection,
  slots: readonly number[],
  deadline: number,
): Promise<RecordFloor[]> {
  const reply = await connection.run(READ_FLOORS, [packInt4s(slots)], deadline);
  const floors = new Map(
    (reply as [number, number, number][]).map(([slot, version, turn]) => [
      slot,
      { counter: counterOf(version), turn },
    ]),
  );
  return slots.map((slot) => floors.get(slot) ?? { counter: 0, turn: 0 });
}

/** In the order of the slots, like every writer. */
export async function raiseFloors(
  connection: Connection,
  life: number,
  floors: readonly (SlotFloor & RecordFloor)[],
  deadline: number,
): Promise<void> {
  const sorted = [...floors].sort((a, b) => a.slot - b.slot);
  const slots = packInt4s(sorted.map(({ slot }) => slot));
  const versions = packInt8s(sorted.map(({ counter }) => versionOfFloor(counter)));
  const turns = packInt8s(sorted.map(({ turn }) => turn));
  const highest = versionOfFloor(sorted.reduce((high, { counter }) => Math.max(high, counter), 0));
  const [reply] = await runLocking(
    connection,
    connection.sql.raiseFloors,
    [life, slots, versions, highest, turns],
    deadline,
  );
  checkLife((reply?.[0] ?? null) as number | null, life);
}

export async function removeRows(
  connection: Connection,
  life: number,
  rows: readonly DoomedRow[],
  settledMs: number,
  deadline: number,
): Promise<RemovalOutcome[]> {
  if (rows.length === 0) return [];
  const keys = packTexts(rows.map(({ key }) => key));
  const versions = packInt8s(rows.map(({ version }) => version));
  const deleted = packBooleans(rows.map(({ tombstone }) => tombstone));
  const values = [life, keys, versions, deleted, Math.ceil(settledMs)];
  const [reply] = await runLocking(connection, connection.sql.removeRows, values, deadline);
  const [lifeInForce, list] = reply as [number | null, string | null];
  checkLife(lifeInForce, life);
  const removed = new Set<string>(list === null ? [] : (JSON.parse(list) as string[]));
  const standing = await standingOf(
    connection,
    rows.filter(({ key }) => !removed.has(key)),
    deadline,
  );
  return rows.map(({ key, version }) => {
    if (removed.has(key)) return 'removed';
    const stands = standing.get(key) ?? null;
    const isNone = stands === null || stands === VERSION_NONE;
    return isNone || stands > version ? 'gone' : 'stays';
  });
}

async function standingOf(
  connection: Connection,
  rows: readonly DoomedRow[],
  deadline: number,
): Promise<ReadonlyMap<string, number | null>> {
  if (rows.length === 0) return new Map();
  const keys = packTexts(rows.map(({ key }) => key));
  const reply = await connection.run(STANDING, [keys, packInt4s(rows.map(() => 0))], deadline);
  return new Map(reply.map(([key, version]) => [key as string, version as number | null]));
}
