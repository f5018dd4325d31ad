/**
 * Somebody changes rows in PostgreSQL by plain SQL while a cluster is running: every node returns the change through
 * every door, whoever has read the key before.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serverFacts } from '../../src/cli/doctor-postgres.ts';
import { startCluster } from '../support/cluster.ts';
import type { TestCluster } from '../support/cluster.ts';
import { buildProgram, until } from '../support/supervisor-program.ts';

let program: Awaited<ReturnType<typeof buildProgram>>;
let cluster: TestCluster;

beforeAll(async () => {
  program = await buildProgram('src/cli/main.ts');
  cluster = await startCluster({ entry: program.entry, legacy: false });
});
afterAll(async () => {
  await cluster.close();
  program.remove();
});

const TIMEOUT_MS = 60_000;

/** What each node answers; from memory, if it has read the key before. */
async function everywhere(key: string): Promise<(string | null)[]> {
  return Promise.all(
    cluster.nodes.map(async ({ name }) => {
      const value = await cluster.client(name).get(key);
      return value === undefined ? null : Buffer.from(value).toString();
    }),
  );
}

const shows = (key: string, value: string | null): Promise<unknown> =>
  until(
    `every node shows ${value}`,
    async () => (await everywhere(key)).every((each) => each === value),
    TIMEOUT_MS,
  );

test(
  'inserted, changed, deleted and inserted again: seen at every node, and rows and nodes are alike at the end',
  async () => {
    await cluster.client(cluster.nodes[0]!.name).set('kept', 'before');
    await shows('kept', 'before');
    await cluster.rows(`UPDATE causeway.record SET value = 'by hand' WHERE key = $1`, ['kept']);
    await cluster.rows(`INSERT INTO causeway.record (key, value) VALUES ($1, 'new')`, ['{tag}new']);
    await shows('kept', 'by hand');
    await shows('{tag}new', 'new');
    await cluster.rows('DELETE FROM causeway.record WHERE key = ANY($1)', [['kept', '{tag}new']]);
    await shows('kept', null);
    await shows('{tag}new', null);
    await cluster.rows(`INSERT INTO causeway.record (key, value) VALUES ($1, 'again')`, ['kept']);
    await shows('kept', 'again');
    await until(
      'nothing waits',
      async () => (await cluster.rows('SELECT FROM causeway.outside_edit')).length === 0,
      TIMEOUT_MS,
    );
    const [row] = await cluster.rows(
      `SELECT convert_from(value, 'UTF8') AS value, edited_on IS NOT DISTINCT FROM version AS edited
      FROM causeway.record WHERE key = $1`,
      ['kept'],
    );
    expect(row).toEqual({ value: 'again', edited: false });
    await cluster.client(cluster.nodes[1]!.name).set('kept', 'after');
    await shows('kept', 'after');
  },
  TIMEOUT_MS * 4,
);

test(
  'doctor at a user who may only look: what is noted is judged without what waits, and the rights that a node needs are told',
  async () => {
    await cluster.rows('CREATE ROLE looker');
    await cluster.rows('GRANT USAGE, CREATE ON SCHEMA causeway TO looker');
    await cluster.rows('GRANT SELECT ON causeway.record TO looker');
    const url = `${cluster.databaseUrl}?options=-c%20role%3Dlooker`;
    const told = await serverFacts({ url, compat: 'none' }, TIMEOUT_MS, new AbortController().signal);
    expect(told).toMatchObject({
      kind: 'itself',
      facts: {
        byHand: { isUnwatched: false, waiting: null },
        rightsLacking: expect.arrayContaining([
          expect.stringContaining('write to causeway.record'),
        ]) as unknown,
      },
    });
  },
  TIMEOUT_MS * 2,
);

test(
  'doctor at users who have some of the rights on the schema: each right that a node needs is told, and none that it does not need',
  async () => {
    const lacking = async (role: string): Promise<unknown> => {
      const url = `${cluster.databaseUrl}?options=-c%20role%3D${role}`;
      const told = await serverFacts({ url, compat: 'none' }, TIMEOUT_MS, new AbortController().signal);
      return told.kind === 'itself' ? told.facts.rightsLacking : told;
    };
    for (const role of ['stranger', 'maker', 'writer']) await cluster.rows(`CREATE ROLE ${role}`);
    await cluster.rows('GRANT CREATE ON SCHEMA causeway TO maker');
    await cluster.rows('GRANT USAGE ON SCHEMA causeway TO writer');
    await cluster.rows('GRANT SELECT, INSERT, UPDATE, DELETE ON causeway.record TO writer');
    const use = 'use the schema causeway (USAGE)';
    expect(await lacking('stranger')).toEqual([use]);
    expect(await lacking('maker')).toEqual([use]);
    expect(await lacking('writer')).toEqual([]);
    const owners = async (role: string): Promise<unknown> => {
      const url = `${cluster.databaseUrl}?options=-c%20role%3D${role}`;
      const told = await serverFacts({ url, compat: 'none' }, TIMEOUT_MS, new AbortController().signal);
      return told.kind === 'itself' ? told.facts.owners : told;
    };
    const [made] = await cluster.rows(
      `SELECT tableowner AS owner FROM pg_tables WHERE schemaname = 'causeway'`,
    );
    const others = [String(made!['owner'])];
    expect(await owners('writer')).toEqual({ self: 'writer', others, areTablesMissing: false });
    await cluster.rows(`GRANT "${others[0]!}" TO writer`);
    expect(await owners('writer')).toMatchObject({ others: [] });
  },
  TIMEOUT_MS * 2,
);

test(
  'doctor sees whether changes are noted: all triggers, one that is off, who is not watched',
  async () => {
    const facts = async (query = ''): Promise<unknown> => {
      const url = `${cluster.databaseUrl}${query}`;
      const told = await serverFacts({ url, compat: 'none' }, TIMEOUT_MS, new AbortController().signal);
      return told.kind === 'itself' ? told.facts.byHand : told;
    };
    const triggers = ['fill_inserted', 'keep_deleted', 'note_inserted', 'note_updated', 'refuse_truncate'];
    const well = { triggers, isUnwatched: false, waiting: 0, oldestMs: 0 };
    expect(await facts()).toEqual(well);
    expect(await facts('?options=-c%20causeway.unwatched%3Don')).toEqual({ ...well, isUnwatched: true });
    await cluster.rows('ALTER TABLE causeway.record DISABLE TRIGGER note_updated');
    expect(await facts()).toEqual({ ...well, triggers: triggers.filter((name) => name !== 'note_updated') });
    await cluster.rows('ALTER TABLE causeway.record ENABLE TRIGGER note_updated');
    expect(await facts()).toEqual(well);
  },
  TIMEOUT_MS * 2,
);

test(
  'doctor sees what somebody has added to the table of rows, and what it has lost',
  async () => {
    const facts = async (): Promise<unknown> => {
      const url = cluster.databaseUrl;
      const told = await serverFacts({ url, compat: 'none' }, TIMEOUT_MS, new AbortController().signal);
      return told.kind === 'itself' ? told.facts.table : told;
    };
    const well = { hasKey: true, rules: [], hasRowSecurity: false, indexes: [] };
    expect(await facts()).toMatchObject(well);
    await cluster.rows('CREATE INDEX by_value ON causeway.record (md5(value))');
    await cluster.rows('CREATE INDEX by_key ON causeway.record (key)');
    await cluster.rows('ALTER TABLE causeway.record ENABLE ROW LEVEL SECURITY');
    await cluster.rows('CREATE RULE quiet AS ON DELETE TO causeway.record DO ALSO NOTHING');
    const added = { rules: ['quiet'], hasRowSecurity: true, indexes: ['causeway.by_value'] };
    expect(await facts()).toMatchObject({ ...added, hasKey: true });
    await cluster.rows('DROP RULE quiet ON causeway.record');
    await cluster.rows('ALTER TABLE causeway.record DISABLE ROW LEVEL SECURITY');
    await cluster.rows('DROP INDEX causeway.by_value, causeway.by_key');
    await cluster.rows('ALTER TABLE causeway.record DROP CONSTRAINT record_pkey');
    await cluster.rows('ALTER TABLE causeway.record DISABLE TRIGGER ALL');
    expect(await facts()).toMatchObject({ ...well, hasKey: false, triggers: [] });
    await cluster.rows('ALTER TABLE causeway.record ENABLE TRIGGER ALL');
    await cluster.rows('ALTER TABLE causeway.record ADD PRIMARY KEY (key)');
    expect(await facts()).toMatchObject(well);
  },
  TIMEOUT_MS * 2,
);
