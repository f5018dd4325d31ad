/** The contract of the system of record, held against a real server. */
import { postgresWorld } from '../support/postgres-world.ts';
import { systemOfRecordContract } from './system-of-record.ts';

systemOfRecordContract('PostgreSQL', postgresWorld);
