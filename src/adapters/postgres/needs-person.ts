/**
 * The error codes of PostgreSQL that only a person can put right; waiting cures none of them. All classes of the table
 * of error codes (PostgreSQL 18, appendix A) were considered; the others may pass by themselves:
 *
 * - Waited for: connections (08; poolers use it for all sorts of things), races between nodes that prepare the database
 *   at once (23, 40), a server that is not a primary (25), is full (53), is in use (55), is stopping or starting (57),
 *   cannot read its disk (58030), or has an internal error (XX000); errors from triggers and foreign servers (P0, HV).
 * - Never an answer to a node's statements: cursors, routines, SQL/JSON, warnings (01, 02, 03, 09, 0B, 0F, 0Z, 10, 20,
 *   21, 24, 26, 27, 2D, 2F, 34, 38, 39, 3B, 72).
 */
import { sqlStateOf } from './record-failure.ts';

const CLASSES: Readonly<Record<string, string>> = {
  '0A': 'a feature that this server does not have',
  '0L': 'a grantor that may not',
  '0P': 'a role that is none',
  '22': 'a setting, or data of the table, that it does not take',
  '28': 'a wrong password, or a user who may not',
  '2B': 'something of somebody depends on what is to go',
  '3D': 'no such database',
  '3F': 'no such schema',
  '42': 'missing rights, or SQL that this server does not know',
  '44': 'a view that does not let it be written',
  '54': 'a limit of the program',
  F0: 'its own configuration',
};

const CODES: Readonly<Record<string, string>> = {
  '53400': 'a limit of its configuration',
  '55P02': 'a setting that cannot be changed while it runs',
  '58P01': 'a file that it lacks',
  '58P02': 'a file that is in the way',
  XX001: 'damaged data',
  XX002: 'a damaged index',
};

export function needsPerson(error: unknown): boolean {
  const sqlState = sqlStateOf(error);
  return sqlState !== null && (sqlState in CODES || sqlState.slice(0, 2) in CLASSES);
}
