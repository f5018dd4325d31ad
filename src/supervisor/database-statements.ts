/** How the supervisor recognises its own PostgreSQL server, and creates the database in it. */
import { unprepared, type Statement } from '../base/sql-statement.ts';

export const SHOW_DIRECTORY = unprepared('SHOW data_directory');

export const FIND_DATABASE = unprepared('SELECT 1 FROM pg_database WHERE datname = $1', ['system catalogue']);

/** `name` is one of ours and needs no quotes. */
export function createDatabase(name: string): Statement {
  return unprepared(`CREATE DATABASE ${name}`);
}
