/** A fresh database on the test server, and nodes' access to it through the adapter. */
import { fileURLToPath } from 'node:url';
import { openPostgresRecord, type PostgresRecord } from '../../src/adapters/postgres/postgres-record.ts';
import type { PostgresRecordSettings } from '../../src/adapters/postgres/postgres-settings.ts';
import { slotOfTest, type RecordWorld } from '../contracts/record-calls.ts';
import { runOnce, testServer } from './postgres.ts';

export const MIGRATIONS_DIRECTORY = fileURLToPath(new URL('../../sql/migrations', import.meta.url));

export interface PostgresWorld extends RecordWorld {
  readonly connectionString: string;
  /** Not started yet; closed with the world. */
  open(settings?: Partial<PostgresRecordSettings>): PostgresRecord;
}

export async function postgresWorld(): Promise<PostgresWorld> {
  return worldOf(await (await testServer()).createDatabase());
}

/** Keeps the tables and deletes their rows: a separate database for each test takes ten times as long. */
export async function emptiedWorld(connectionString: string): Promise<PostgresWorld> {
  await runOnce(
    connectionString,
    `set causeway.unwatched = 'on';
truncate causeway.cluster, causeway.record, causeway.life_before, causeway.outside_edit;
update causeway.life_sign set cluster_id = '', life = 0, members = '[]';
update causeway.slot_floor set version = 0, turn = 0 where version > 0 or turn > 0`,
  );
  return worldOf(connectionString);
}

function worldOf(connectionString: string): PostgresWorld {
  const opened: PostgresRecord[] = [];
  const open = (settings: Partial<PostgresRecordSettings> = {}): PostgresRecord => {
    const record = openPostgresRecord({
      connectionString,
      migrationsDirectory: MIGRATIONS_DIRECTORY,
      slotOf: slotOfTest,
      ...settings,
    });
    opened.push(record);
    return record;
  };
  return {
    connectionString,
    open,
    connect: async () => {
      const record = open();
      await record.start();
      return record;
    },
    run: (begin) => new Promise((resolve) => begin(resolve)),
    exchange: async (key, value) => {
      await runOnce(
        connectionString,
        `update causeway.record set value = $2
        where key = $1 and pg_catalog.set_config('causeway.unwatched', 'on', true) = 'on'`,
        [key, Buffer.from(value)],
      );
    },
    close: async () => {
      await Promise.all(opened.map((record) => record.close()));
    },
  };
}
