/**
 * The catalogue of SQL and what its statements need of a server: how a text shows that it uses a feature, and which
 * kind of database has it, according to `docs/SCALE.md`, which links to each documentation.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SqlFeature } from '../../src/base/sql-statement.ts';
import type { RecordCompat } from '../../src/core/system-of-record/record-dialect.ts';
import { repositoryRoot } from './root.ts';

/** How a statement shows that it uses a feature. */
const SIGNS: Record<SqlFeature, RegExp> = {
  'advisory lock': /advisory_/,
  'aggregate into JSON': /array_to_json|json_agg/,
  'array parameters': /\$\d+::\w+\[\]/,
  bytea: /\bbytea\b/,
  'cockroach cluster id': /\bcrdb_internal\.cluster_id\(/,
  'collation C': /collate "C"/,
  cursor: /^(declare|fetch|close)\b/,
  'data-modifying CTE': /\bas \(\s*(insert|update|delete)\b/,
  'delete using': /\bdelete from [\w. ]+ using\b/,
  'empty select list': /\bselect from\b/,
  'fence by a shared row lock': /\bfor share\b/,
  'fence by the lock of a writer': /\bset life = life where false\b/,
  'for update': /\bfor update\b(?! of)/,
  'for update skip locked': /\bskip locked\b/,
  'functions and triggers': /\bcreate (function|trigger)\b/,
  generate_series: /\bgenerate_series\(/,
  'information schema': /\binformation_schema\./,
  'list of Citus': /\bfrom citus_tables\b/,
  'lock table': /\block table\b/,
  lock_timeout: /\block_timeout\b/,
  'multi-argument unnest': /\bunnest\([^()]*,/,
  'on conflict do nothing': /\bdo nothing\b/,
  'on conflict do update where': /\bdo update set\b.*\bwhere\b/s,
  pg_control_system: /\bpg_control_system\(/,
  pg_is_in_recovery: /\bpg_is_in_recovery\(/,
  pg_logical_emit_message: /\bpg_logical_emit_message\(/,
  'pg_stat views': /\bpg_stat_/,
  'privilege functions': /\b(has_\w+_privilege|pg_has_role)\(/,
  'row comparison': /\(\w+, \w+\) > \(/,
  'server settings': /\bcurrent_setting\(/,
  'session settings': /\bset_config\(|^discard all$/,
  'storage parameters': /\) with \(/,
  'subquery in an insert': /\binsert into\b[^;]*?\bselect\b/s,
  'system catalogue': /\b(pg_(class|proc|namespace|attribute|database|get_viewdef)|to_reg\w+|regclass)\b/,
  'table changed twice': /\bupdate ([\w.]+) set\b.*\bupdate \1 set\b/s,
  'version function': /\bversion\(\)/,
  view: /\bcreate (or replace )?view\b/,
  'WAL functions': /\bpg_(walfile_name|current_wal_lsn)\(/,
  'window frame': /\brows between\b/,
};

export const FEATURES = Object.keys(SIGNS) as SqlFeature[];

export function featuresOf(sql: string): SqlFeature[] {
  return FEATURES.filter((feature) => SIGNS[feature].test(sql));
}

/** The table of docs/SCALE.md: each feature with who uses it, and what Citus, CockroachDB and YugabyteDB have of it. */
export function scaleRows(): (readonly [string, string[]])[] {
  const page = readFileSync(join(repositoryRoot, 'docs/SCALE.md'), 'utf8');
  return [...page.matchAll(/^\| `([^`]+)` \| (.+) \|$/gm)].map(
    (row) => [row[1]!, row[2]!.split(' | ')] as const,
  );
}

const COLUMNS: Record<Exclude<RecordCompat, 'none'>, number> = { cockroach: 2, yugabyte: 3 };

/** The features that this kind of database has without restrictions, according to its documentation. */
function availableIn(compat: Exclude<RecordCompat, 'none'>): ReadonlySet<string> {
  const rows = scaleRows().filter(([, cells]) => /^has it\b/.test(cells[COLUMNS[compat]]!));
  return new Set(rows.map(([feature]) => feature));
}

/** Statements that need something that this kind of database lacks or does differently, each with what is missing. */
export function beyond(compat: Exclude<RecordCompat, 'none'>, texts: Iterable<string>): string[] {
  const available = availableIn(compat);
  return [...new Set(texts)].flatMap((text) => {
    const lacks = featuresOf(text).filter((feature) => !available.has(feature));
    return lacks.length === 0 ? [] : [`${lacks.join(', ')}: ${text}`];
  });
}
