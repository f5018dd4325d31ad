import { postgresWorld } from '../support/postgres-world.ts';
import { systemOfRecordContract } from './system-of-record.ts';

systemOfRecordContract('PostgreSQL', postgresWorld);
