/** Which kind of database is connected, and whether that is the configured one. */
import { describe, expect, test } from 'vitest';
import { dialectOf, whyNotDialect, whyNotMode } from './record-dialect.ts';

const POSTGRES = 'PostgreSQL 17.2 on x86_64-pc-linux-gnu, compiled by gcc, 64-bit';
const COCKROACH = 'CockroachDB CCL v25.2.1 (x86_64-pc-linux-gnu, built 2025/06/05 12:00:00, go1.23.7)';
const YUGABYTE = 'PostgreSQL 11.2-YB-2.20.0.0-b0 on x86_64-pc-linux-gnu, compiled by clang, 64-bit';

describe('a database', () => {
  test('is told by its version', () => {
    expect([POSTGRES, COCKROACH, YUGABYTE].map(dialectOf)).toEqual(['none', 'cockroach', 'yugabyte']);
  });

  test('a host or a build that is called as a relative makes none', () => {
    expect(dialectOf('PostgreSQL 17.2 (Debian 17.2-YB-1) on x86_64')).toBe('none');
    expect(dialectOf('PostgreSQL 17.2 on CockroachDB-host')).toBe('none');
  });

  test('that is not what was set is not used, with what to set', () => {
    expect(whyNotDialect('none', POSTGRES)).toBeNull();
    expect(whyNotDialect('cockroach', COCKROACH)).toBeNull();
    expect(whyNotDialect('none', COCKROACH)).toContain('set postgres.compat to cockroach');
    expect(whyNotDialect('cockroach', YUGABYTE)).toContain('set postgres.compat to yugabyte');
    expect(whyNotDialect('yugabyte', POSTGRES)).toContain('take postgres.compat out');
  });

  test('whose tables were made in another mode is not used', () => {
    expect(whyNotMode('none', 'none')).toBeNull();
    expect(whyNotMode('cockroach', 'yugabyte')).toContain('made with postgres.compat: yugabyte');
  });
});
