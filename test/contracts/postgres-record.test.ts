/** The contract of the system of record, on a real server. */
import { emptiedWorld, postgresWorld, type PostgresWorld } from '../support/postgres-world.ts';
import { systemOfRecordContract } from './system-of-record.ts';

let connectionString: string | null = null;

systemOfRecordContract('PostgreSQL', async (): Promise<PostgresWorld> => {
  if (connectionString !== null) return emptiedWorld(connectionString);
  const world = await postgresWorld();
  ({ connectionString } = world);
  return world;
});
