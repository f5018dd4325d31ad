/** The contract of the system of record in the modes for relatives of PostgreSQL, held against PostgreSQL dressed as them. */
import { strictWorld } from '../support/relative-world.ts';
import { systemOfRecordContract } from './system-of-record.ts';

systemOfRecordContract('CockroachDB', () => strictWorld('cockroach'));
systemOfRecordContract('YugabyteDB', () => strictWorld('yugabyte'));
