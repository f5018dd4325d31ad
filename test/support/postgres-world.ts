/** A fresh database on the test server, and nodes' access to it as the adapter gives it. */
import { fileURLToPath } from 'node:url';
import {
  openPostgresRecord,
  type PostgresRecord,
  type PostgresRecordSettings,
} from '../../src/adapters/postgres/postgres-record.ts';
import { slotOfTest, type RecordWorld } from '../contracts/record-calls.ts';
import { testServer } from './postgres.ts';

export const MIGRATIONS_DIRECTORY = fileURLToPath(new URL('../../sql/migrations', import.meta.url));

export interface PostgresWorld extends RecordWorld {
  readonly connectionString: string;
  /** Not started yet; closed with the world. */
  open(settings?: Partial<PostgresRecordSettings>): PostgresRecord;
}

export async function postgresWorld(): Promise<PostgresWorld> {
  const connectionString = await (await testServer()).createDatabase();
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
    close: async () => {
      await Promise.all(opened.map((record) => record.close()));
    },
  };
}
