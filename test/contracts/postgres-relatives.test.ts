/** The contract of the system of record in the modes for relatives of PostgreSQL, on a PostgreSQL that imitates them. */
import { strictWorld } from '../support/relative-world.ts';
import { systemOfRecordContract } from './system-of-record.ts';

systemOfRecordContract('CockroachDB', () => strictWorld('cockroach'));
systemOfRecordContract('YugabyteDB', () => strictWorld('yugabyte'));
