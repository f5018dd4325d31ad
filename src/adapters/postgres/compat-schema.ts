/**
 * The tables in a relative of PostgreSQL (`postgres.compat`), and whose they are. None of the relatives has a lock that
 * all clients respect, nor transactional schema changes. So each statement can be sent again, by many nodes at the same
 * time, and the list of applied statements only saves work. A table of the first system is not taken over, because that
 * needs locks.
 *
 * Nodes of different modes would not fence one another. So each leaves a mark of its own mode before it creates
 * anything, and checks for other marks afterwards: of two that begin at the same time on an empty database, at most one
 * continues. (R27)
 */
import { randomUUID } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join, parse } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Statement } from '../../base/sql-statement.ts';
import { nameOfCompat, whyNotMode, type RecordCompat } from '../../core/system-of-record/record-dialect.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import {
  CREATE_COMPAT,
  CREATE_COMPAT_MIGRATION,
  CREATE_SCHEMA,
  LIST_TABLES,
  NAME_COMPAT,
  NOTE_COMPAT_MIGRATION,
  READ_COMPAT,
  READ_COMPAT_MIGRATIONS,
} from './compat-statements.ts';
import type { Connection, Fields } from './connection.ts';
import { SetupError, sqlStateOf } from './record-failure.ts';
import { HAS_CITUS, HAS_COMPAT, LIST_SPREAD, limitStatements } from './server-statements.ts';

/** The name that `listTables` returns for a base table. */
export const TABLE = 'BASE TABLE';

/** Milliseconds. A schema change takes a round over all nodes, and an index over many rows takes its time. */
const STEP_TIMEOUT_MS = 600_000;
/**
 * Errors that mean that two nodes made the same change at once (it exists already, or must be retried), or that a
 * change has not reached the server that was asked.
 */
const AT_ONCE = ['42P06', '42P07', '42710', '23505', '40001', '40P01', 'XX000', '42P01', '3F000'];
const TRIES_MAX = 20;
const RETRY_MS_MAX = 100;

/** Another node is creating the tables at this moment: that passes, however long its schema change takes. */
export function isOfRace(error: unknown): boolean {
  return AT_ONCE.includes(sqlStateOf(error) ?? '');
}

export interface CompatTables {
  readonly connection: Connection;
  readonly compat: RecordCompat;
  readonly directory: string;
  readonly telemetry: Telemetry;
}

export async function makeCompatTables({
  connection,
  compat,
  directory,
  telemetry,
}: CompatTables): Promise<void> {
  await send(connection, limitStatements(STEP_TIMEOUT_MS));
  await refuseOthersTables(connection, compat);
  await send(connection, CREATE_SCHEMA);
  await send(connection, CREATE_COMPAT);
  await send(connection, NAME_COMPAT, [compat, randomUUID().replaceAll('-', '')]);
  const [madeFor] = (await send(connection, READ_COMPAT))[0]!;
  const reason = whyNotMode(compat, madeFor as RecordCompat);
  if (reason !== null) throw new SetupError(reason);
  await send(connection, CREATE_COMPAT_MIGRATION);
  const applied = new Set((await send(connection, READ_COMPAT_MIGRATIONS)).map(([name]) => name));
  for (const file of readdirSync(directory).sort()) {
    const { name } = parse(file);
    if (applied.has(name)) continue;
    for (const text of statementsOf(readFileSync(join(directory, file), 'utf8')))
      await send(connection, { name: null, text, writes: false, features: [] });
    await send(connection, NOTE_COMPAT_MIGRATION, [name]);
    telemetry.event('info', 'postgres.migrated', { name });
  }
  await refuseOthersTables(connection, compat);
}

/**
 * For PostgreSQL itself: refuses a database whose tables were made for a relative, or which Citus has distributed.
 * Called before anything is created, and again afterwards.
 */
export async function refuseRelatives(connection: Connection): Promise<void> {
  if ((await send(connection, HAS_COMPAT))[0]![0] === true) {
    const madeFor = (await send(connection, READ_COMPAT))[0]?.[0] as RecordCompat | undefined;
    // As long as the mark has no row, no node has gone on from there.
    const reason = madeFor === undefined ? null : whyNotMode('none', madeFor);
    if (reason !== null) throw new SetupError(reason);
  }
  if ((await send(connection, HAS_CITUS))[0]![0] !== true) return;
  const spread = (await send(connection, LIST_SPREAD)).map(([name]) => name);
  if (spread.length > 0) {
    throw new SetupError(
      `Citus has spread or copied ${spread.join(', ')}, and what is spread has no common snapshot: earlier lives of the ` +
        'cluster would not be fenced (docs/SCALE.md). Bring them back: undistribute_table',
    );
  }
}

export async function listTables(
  connection: Connection,
  deadline: number,
): Promise<ReadonlyMap<string, string>> {
  const rows = await connection.run(LIST_TABLES, [], deadline);
  return new Map(rows.map(([name, kind]) => [name as string, kind as string]));
}

async function refuseOthersTables(connection: Connection, compat: RecordCompat): Promise<void> {
  const tables = await listTables(connection, performance.now() + STEP_TIMEOUT_MS);
  if (tables.has('causeway.migration')) throw new SetupError(whyNotMode(compat, 'none')!);
  const kind = tables.get('public.kv_store');
  if (kind === undefined || (kind !== TABLE && tables.has('causeway.live'))) return;
  throw new SetupError(
    `public.kv_store stands there already, and ${nameOfCompat(compat)} has no locks under which it could be taken over: rename ` +
      'or move it, start again, and bring its rows in with causeway import',
  );
}

/** A statement ends with a semicolon at the end of a line. */
function statementsOf(file: string): string[] {
  const lines = file.split('\n').filter((line) => !line.startsWith('--'));
  return lines
    .join('\n')
    .split(/;\s*\n/)
    .map((text) => text.trim())
    .filter((text) => text !== '');
}

async function send(
  connection: Connection,
  statement: Statement,
  values: readonly unknown[] = [],
): Promise<readonly Fields[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await connection.run(statement, values, performance.now() + STEP_TIMEOUT_MS);
    } catch (error) {
      if (attempt === TRIES_MAX || !isOfRace(error)) throw error;
      await delay(Math.random() * RETRY_MS_MAX);
    }
  }
}
