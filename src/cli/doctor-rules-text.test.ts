/**
 * The findings of `causeway doctor`, one by one: what is good has nothing to change, and what is not says what to
 * change.
 */
import { describe, expect, test } from 'vitest';
import { judgeDisk } from './doctor-disk-rules.ts';
import type { DiskFacts } from './doctor-disk-rules.ts';
import type { Finding } from './doctor-finding.ts';
import { judgeKernel } from './doctor-kernel-rules.ts';
import type { KernelFacts } from './doctor-kernel-rules.ts';
import { judgeDots, judgeNamedKey, judgeNobodysKeys } from './doctor-legacy-rules.ts';
import type { Answer, NamedKey } from './doctor-legacy-rules.ts';
import { judgeClock, judgeLoop, judgeMachine } from './doctor-machine-rules.ts';
import type { MachineFacts, MachineNeeds } from './doctor-machine-rules.ts';
import { judgeMember, judgePort } from './doctor-network-rules.ts';
import { judgeByHand } from './doctor-by-hand-rules.ts';
import type { ByHandFacts } from './doctor-by-hand-rules.ts';
import { judgePostgres, refusedBy } from './doctor-postgres-rules.ts';
import type { PostgresFacts } from './doctor-postgres-rules.ts';
import { judgeRelative } from './doctor-relative-rules.ts';
import type { RelativeFacts } from './doctor-relative-rules.ts';

const MIB = 1024 * 1024;

const containing = (text: string): string => expect.stringContaining(text) as string;

/** Everything that is not good, as `level: text`; every warning and fault must say what to change. */
function found(findings: readonly Finding[]): string {
  for (const { level, text, change } of findings)
    if (level === 'warning' || level === 'fault') expect(change, text).toBeTruthy();
  const bad = findings.filter(({ level }) => level !== 'ok');
  return bad.map(({ level, text }) => `${level}: ${text}`).join('\n');
}

describe('machine', () => {
  const facts: MachineFacts = {
    ...{
      nodeVersion: 'v20.19.0',
      cores: 4,
      coreQuota: null,
      memoryBytes: 8_192 * MIB,
      memoryFreeBytes: 4_096 * MIB,
    },
    ...{ openFilesMax: 30_000, processesMax: 4_000, fileBytesMax: Infinity, addressSpaceBytesMax: Infinity },
    ...{ arenasMax: '2', usesGlibc: true },
  };
  const needs: MachineNeeds = {
    cacheBytes: 64 * MIB,
    respConnectionsMax: 10_000,
    memberCount: 3,
    isRunning: false,
  };
  const judge = (changes: Partial<MachineFacts>, others: Partial<MachineNeeds> = {}): string =>
    found(judgeMachine({ ...facts, ...changes }, { ...needs, ...others }));

  test('all is well', () => expect(judge({})).toBe(''));

  test.each<[string, Partial<MachineFacts>, string]>([
    ['an old Node.js', { nodeVersion: 'v20.18.3' }, 'fault: Node.js v20.18.3'],
    ['half a core', { coreQuota: 0.5 }, 'warning: 0.5 cores: the container is stopped'],
    ['one core', { cores: 1 }, 'note: one core'],
    ['too little memory', { memoryBytes: 300 * MIB, memoryFreeBytes: 200 * MIB }, 'fault: 300 MiB of memory'],
    ['little memory left', { memoryFreeBytes: 200 * MIB }, 'warning: 8192 MiB of memory, 200 MiB free'],
    ['few files', { openFilesMax: 256 }, 'fault: open files: 256 at most; the store alone'],
    ['files for some connections', { openFilesMax: 4_096 }, 'warning: open files: 4096 at most; with all'],
    [
      'no files for all gRPC connections',
      { openFilesMax: 12_000 },
      'warning: open files: 12000 at most; with all',
    ],
    ['files not known', { openFilesMax: null }, 'note: how many files'],
    ['few threads', { processesMax: 20 }, 'fault: 20 processes and threads'],
    ['small files', { fileBytesMax: 100 * MIB }, 'warning: files of 100 MiB at most'],
    ['a bounded address space', { addressSpaceBytesMax: 4_096 * MIB }, 'warning: 4096 MiB of address space'],
    ['as many heaps as threads', { arenasMax: undefined }, 'note: MALLOC_ARENA_MAX'],
  ])('%s', (_what, changes, text) => expect(judge(changes)).toContain(text));

  test('what a node that runs has taken is not missing; a door that is not there needs no files', () => {
    expect(judge({ memoryFreeBytes: 1 }, { isRunning: true })).toBe('');
    expect(judge({ openFilesMax: 14_000 })).toContain('warning');
    expect(judge({ openFilesMax: 14_000 }, { respConnectionsMax: 0 })).toBe('');
  });

  test('newer versions of Node.js, also with a small second number: fine', () => {
    expect(judge({ nodeVersion: 'v24.1.0' })).toBe('');
  });

  test('a process that waits its turn', () => {
    expect(judgeLoop({ p99Ms: 3, maxMs: 20 }).level).toBe('ok');
    expect(judgeLoop({ p99Ms: 60, maxMs: 200 }).level).toBe('warning');
    expect(judgeLoop({ p99Ms: 60, maxMs: 501 }).level).toBe('fault');
  });

  test('a clock that is stepped, either way, and one that is slow to read', () => {
    expect(found(judgeClock({ stepMs: 2, source: 'tsc' }))).toBe('');
    expect(found(judgeClock({ stepMs: -1_500, source: null }))).toContain('moved by 1500 ms');
    expect(found(judgeClock({ stepMs: 0, source: 'hpet' }))).toContain('from hpet');
  });
});

describe('kernel', () => {
  const facts: KernelFacts = {
    ...{
      mapsMax: 65_530,
      backlogMax: 4_096,
      overcommit: 0,
      hugePages: 'madvise',
      swapBytes: 0,
      swappiness: 60,
    },
    ...{ portRange: [32_768, 60_999], portsReserved: '' },
  };
  const judge = (changes: Partial<KernelFacts>, ports = [8_080]): string =>
    found(judgeKernel({ ...facts, ...changes }, ports));

  test('all is well, and a system that tells nothing', () => {
    expect(judge({})).toBe('');
    const nothing = { mapsMax: null, backlogMax: null, overcommit: null, hugePages: null };
    expect(
      judge({ ...nothing, swapBytes: null, swappiness: null, portRange: null, portsReserved: null }),
    ).toBe('');
  });

  test.each<[Partial<KernelFacts>, string]>([
    [{ mapsMax: 1_000 }, 'warning: vm.max_map_count'],
    [{ backlogMax: 16 }, 'warning: net.core.somaxconn'],
    [{ overcommit: 2 }, 'note: vm.overcommit_memory'],
    [{ hugePages: 'always' }, 'note: transparent huge pages'],
    [{ swapBytes: MIB }, 'note: there is swap'],
  ])('%j', (changes, text) => expect(judge(changes)).toContain(text));

  test('a port that the kernel hands out: told, unless it is reserved, alone or in a range', () => {
    expect(judge({}, [50_051, 8_080])).toContain('port 50051 may be given');
    expect(judge({ portsReserved: '50051' }, [50_051])).toBe('');
    expect(judge({ portsReserved: '1,50000-50100' }, [50_051])).toBe('');
    expect(judge({ portsReserved: '50000-50050' }, [50_051])).toContain('50051');
  });
});

describe('disk', () => {
  const facts: DiskFacts = {
    ...{ path: '/data', exists: true, refusal: '', fileSystem: 'ext4', inodesFree: 1e6, inodesTotal: 1e7 },
    ...{
      freeBytes: 50_000 * MIB,
      totalBytes: 100_000 * MIB,
      syncMs: [0.4, 0.5, 9],
      bytesPerSecond: 500 * MIB,
    },
  };
  const needs = { reserveBytes: 512 * MIB, reserveShareMax: 0.1 };
  const judge = (changes: Partial<DiskFacts>, reserve = needs): string =>
    found(judgeDisk({ ...facts, ...changes }, reserve));

  test('all is well', () => expect(judge({})).toBe(''));

  test.each<[string, Partial<DiskFacts>, string]>([
    ['not ours', { refusal: 'EACCES' }, 'fault: nothing can be written to /data: EACCES'],
    ['in memory', { fileSystem: 'tmpfs' }, 'fault: /data on tmpfs'],
    ['in a container', { fileSystem: 'overlay' }, 'warning: /data on overlay'],
    ['far away', { fileSystem: 'nfs' }, 'warning: /data on nfs'],
    ['below the reserve', { freeBytes: 500 * MIB }, 'fault: 500 MiB of 98 GiB free'],
    ['near the reserve', { freeBytes: 1_000 * MIB }, 'warning: 1000 MiB'],
    ['few inodes', { inodesFree: 9 }, 'warning: 9 of 10000000 inodes'],
    ['slow syncs', { syncMs: [9, 12, 30] }, 'warning: a sync takes 12.0 ms'],
    ['a sync that hung', { syncMs: [1, 1, 900] }, 'warning: a sync takes 1.00 ms (median), 900 ms at most'],
    ['syncs that are none', { syncMs: [0.002, 0.003, 0.1] }, 'note: a sync takes 0.00 ms'],
    ['a slow disk', { bytesPerSecond: 5 * MIB }, 'warning: 5 MiB/s'],
  ])('%s', (_what, changes, text) => expect(judge(changes)).toContain(text));

  test('a small disk: the reserve is a share of it; one that is not watched; one without inodes', () => {
    expect(judge({ totalBytes: 1_000 * MIB, freeBytes: 450 * MIB })).toBe('');
    expect(judge({ freeBytes: 1 }, { ...needs, reserveBytes: 0 })).toContain(
      'note: 0 MiB of 98 GiB free; it is not watched',
    );
    expect(judge({ inodesFree: 0, inodesTotal: 0 })).toBe('');
  });
});

describe('network', () => {
  const port = (refusal: string, isRunning = false): Finding =>
    judgePort({ door: 'grpc', host: '10.0.0.1', port: 50_051, refusal }, isRunning);

  test('a port: free, its own, of another program, of the administrator, of another machine', () => {
    expect([port('').level, port('EADDRINUSE', true).level]).toEqual(['ok', 'ok']);
    expect(port('EADDRINUSE')).toMatchObject({
      level: 'fault',
      change: containing('grpc.port'),
    });
    expect(port('EACCES').change).toContain('CAP_NET_BIND_SERVICE');
    expect(port('EADDRNOTAVAIL').change).toContain('grpc.host');
    expect(port('ENOTFOUND').text).toContain('the name is not known');
    expect(port('EWHATEVER').level).toBe('fault');
  });

  test('a member: there, far away, silent, another one; and this node itself', () => {
    const member = (changes: object): string =>
      found(
        judgeMember(
          { name: 'b', address: 'h:1', answeredBy: 'b', roundTripMs: 2, reason: '', ...changes },
          'a',
        ),
      );
    expect(member({})).toBe('');
    expect(member({ roundTripMs: 80 })).toContain('note: b at h:1 answers within 80 ms');
    expect(member({ answeredBy: null, reason: 'refused' })).toContain(
      'warning: b at h:1 does not answer: refused',
    );
    expect(member({ answeredBy: 'c' })).toContain('fault: b at h:1: c answers there');
    expect(member({ name: 'a', answeredBy: null })).toBe('');
    expect(member({ name: 'a', answeredBy: 'c' })).toContain('fault: a at h:1: c answers there');
  });
});

describe('rows that are changed by hand', () => {
  const triggers = ['fill_inserted', 'keep_deleted', 'note_inserted', 'note_updated', 'refuse_truncate'];
  const facts: ByHandFacts = { triggers, isUnwatched: false, waiting: 2, oldestMs: 900 };
  const judge = (changes: Partial<ByHandFacts>): string => found(judgeByHand({ ...facts, ...changes }));

  test.each<[string, Partial<ByHandFacts>, string]>([
    ['a trigger is off', { triggers: triggers.slice(1) }, 'warning: of causeway.record fill_inserted is off'],
    ['all are gone', { triggers: [] }, 'refuse_truncate are off or gone'],
    ['this user is not watched', { isUnwatched: true }, 'warning: causeway.unwatched is on'],
    ['what waits is not shown', { waiting: null }, 'warning: this user may not read causeway.outside_edit'],
    ['they wait', { oldestMs: 65_000 }, 'warning: 2 changes of rows by hand wait, the oldest for 65 s'],
  ])('%s', (_what, changes, text) => expect(judge(changes)).toContain(text));

  test('none is told where nothing is wrong', () => expect(judge({})).toBe(''));
});

describe('PostgreSQL', () => {
  const facts: PostgresFacts = {
    ...{ version: 170_002, isStandby: false, isReadOnly: false, synchronousCommit: 'on', fsync: 'on' },
    pooler: null,
    ...{ fullPageWrites: 'on', encoding: 'UTF8', autovacuum: 'on', standbyNames: '', standbysInStep: 0 },
    ...{
      connectionsMax: 100,
      connectionsUsed: 5,
      rightsLacking: [],
      owners: { self: 'clerk', others: [], areTablesMissing: false },
      spreadByCitus: [],
      ...{ byHand: null, table: null },
      clockAheadMs: 3,
      roundTripMs: 0.4,
      commitMs: 2,
    },
  };
  const judge = (changes: Partial<PostgresFacts>): string =>
    found(judgePostgres({ ...facts, ...changes }, 3));

  test('all is well', () => expect(judge({})).toBe(''));

  test.each<[string, Partial<PostgresFacts>, string]>([
    ['old', { version: 110_022 }, 'fault: PostgreSQL 11.22'],
    ['a standby', { isStandby: true, isReadOnly: true }, 'fault: it is a standby'],
    ['read-only', { isReadOnly: true }, 'fault: transactions are read-only'],
    ['a pooler', { pooler: 'unknown' }, 'warning: a pooler stands in between: by transaction'],
    ['one by transaction', { pooler: 'exchanges' }, 'fault: a pooler stands in between that exchanges'],
    ['another encoding', { encoding: 'LATIN1' }, 'fault: the database is in LATIN1'],
    ['rights', { rightsLacking: ['make a schema'] }, 'fault: this user may not make a schema'],
    [
      'spread by Citus',
      { spreadByCitus: ['causeway.record'] },
      'fault: Citus has spread or copied causeway.record',
    ],
    ['commits that are none', { synchronousCommit: 'off' }, 'fault: synchronous_commit is off'],
    ['no fsync', { fsync: 'off' }, 'fault: fsync is off'],
    ['torn pages', { fullPageWrites: 'off' }, 'warning: full_page_writes'],
    ['a standby that is waited for', { standbyNames: 's1' }, "fault: synchronous_standby_names is 's1'"],
    ['no vacuum', { autovacuum: 'off' }, 'warning: autovacuum'],
    ['few connections', { connectionsUsed: 90 }, 'warning: 10 of 100 connections free'],
    ['a clock ahead', { clockAheadMs: 5_000 }, "warning: its clock is 5000 ms ahead of this machine's"],
    ['a clock behind', { clockAheadMs: -5_000 }, 'behind'],
    ['far away', { roundTripMs: 30 }, 'note: an answer takes 30.0 ms'],
    ['slow commits', { commitMs: 50 }, 'warning: an answer takes 0.40 ms, a commit 50.0 ms'],
  ])('%s', (_what, changes, text) => expect(judge(changes)).toContain(text));

  test('tables of another user: an upgrade fails, or this one does; told is what to grant, in words that PostgreSQL takes', () => {
    const owners = { self: 'clerk', others: ['Their "Own"', 'b'], areTablesMissing: false };
    expect(judge({ owners })).toBe(
      'warning: the tables are of Their "Own", b: a version that changes them does not start as clerk',
    );
    expect(judge({ owners: { ...owners, areTablesMissing: true } })).toBe(
      'fault: the tables are of Their "Own", b, and this version changes them: no node of it starts as clerk',
    );
    const [finding] = judgePostgres({ ...facts, owners }, 3).filter(({ level }) => level === 'warning');
    expect(finding!.change).toContain('GRANT "Their ""Own""" TO clerk; GRANT b TO clerk');
    expect(judge({ owners: null })).toBe('');
  });

  test('why it lets nobody in: what to change by its own code', () => {
    const changeOf = (code: string): string => refusedBy(code, 'no').change!;
    expect(changeOf('3D000')).toContain('CREATE DATABASE');
    expect(changeOf('42501')).toContain('GRANT');
    expect(changeOf('28P01')).toContain('password');
    expect(changeOf('ECONNREFUSED')).toContain('is it up');
    expect(found([refusedBy('53300', 'too many')])).toContain('fault: it cannot be asked: too many');
  });

  test('standbys that this user is not shown, and commits that it may not try: no verdict on them', () => {
    expect(judge({ standbyNames: 's1', standbysInStep: null, commitMs: null })).toBe('');
  });
});

describe('a relative of PostgreSQL', () => {
  const facts: RelativeFacts = {
    ...{ compat: 'cockroach', version: 'CockroachDB CCL v25.2.1 (x86_64)', madeFor: null },
    ...{ ordersByBytes: true, isolation: 'serializable', isReadOnly: false, encoding: 'UTF8' },
    ...{ clockAheadMs: 3, roundTripMs: 0.4 },
  };
  const judge = (changes: Partial<RelativeFacts>): string => found(judgeRelative({ ...facts, ...changes }));

  test('all is well: said, with what it does not tell', () => {
    expect(judge({})).toMatch(/^note: CockroachDB says nothing of its durability.*$/);
    expect(judge({ madeFor: 'cockroach' })).toBe(judge({}));
  });

  test.each<[string, Partial<RelativeFacts>, string]>([
    [
      'isolation that is not granted',
      { isolation: 'read committed' },
      'fault: serializable isolation was asked',
    ],
    ['text in the order of a language', { ordersByBytes: false }, 'fault: it orders text by a language'],
    ['another encoding', { encoding: 'SQL_ASCII' }, 'fault: the database is in SQL_ASCII'],
    ['read-only', { isReadOnly: true }, 'fault: transactions are read-only'],
    ['tables of another mode', { madeFor: 'yugabyte' }, 'fault: its tables are of another mode'],
    ['a clock ahead', { clockAheadMs: 5_000 }, 'warning: its clock is 5000 ms ahead'],
  ])('%s', (_what, changes, text) => expect(judge(changes)).toContain(text));
});

describe('legacy API', () => {
  const page = (status: number, shape = 'api', location = ''): Answer => ({
    ...{ kind: 'answer', status, shape, location, tookMs: 5 },
  });
  const slash = { name: 'a slash', escape: '%2F' };
  const judge = (plain: Answer, hard: Answer = page(404)): string =>
    found(
      judgeNobodysKeys(
        [
          { hard: null, answer: plain },
          { hard: slash, answer: hard },
        ],
        2_000,
      ),
    );

  test('absent is absent, with a slash, too', () => expect(judge(page(404))).toBe(''));

  test.each<[Answer, string]>([
    [{ kind: 'broken', reason: 'ECONNREFUSED' }, 'fault: it cannot be asked: ECONNREFUSED'],
    [page(200), 'fault: a key that nobody has is answered with 200: absence cannot be told'],
    [page(401), 'it lets us not in'],
    [page(302, '', 'http://b/'), 'redirects are not followed'],
    [page(503), 'the API is in trouble'],
    [page(400), 'nobody knows what that means'],
    [
      { ...page(404), tookMs: 900 } as Answer,
      'warning: a key that nobody has is answered with 404, within 900 ms',
    ],
  ])('a plain key that nobody has: %j', (answer, text) => {
    expect(judge(answer)).toContain(text);
    // In that case nothing is said about harder keys, which would only repeat it.
    if (!text.startsWith('warning')) expect(judge(answer, page(500))).not.toContain('slash');
  });

  test.each<[Answer, string]>([
    [page(404, 'server'), 'warning: a slash (%2F): 404, but another page'],
    [page(200), 'fault: a slash (%2F): a value for a key that nobody has'],
    [page(301, '', '/a/b'), 'warning: a slash (%2F): the path is rewritten, and leads to /a/b'],
    [page(400), 'warning: a slash (%2F): 400'],
    [{ kind: 'broken', reason: 'ECONNRESET' }, 'warning: a slash (%2F): ECONNRESET'],
  ])('a key with a slash that nobody has: %j', (answer, text) => {
    expect(judge(page(404), answer)).toContain(text);
  });

  test('keys that the operator has named: found, said to be absent, another one, never asked for', () => {
    const named = (key: string, meaning: NamedKey['meaning'], trusted = '', status = 200): Finding =>
      judgeNamedKey({ key, meaning, reason: 'why', answer: page(status) }, trusted);
    expect(named('a', 'value').level).toBe('ok');
    expect(named('a/b', 'value')).toMatchObject({ level: 'note', change: containing('"/"') });
    expect(named('a/b', 'value', '/').level).toBe('ok');
    expect(named('a/b', 'absent', '', 404)).toMatchObject({
      level: 'fault',
      text: containing('404'),
    });
    expect(named('a', 'unusable')).toMatchObject({ level: 'fault', text: containing('why') });
    expect(named('a/../b', 'unaddressable').level).toBe('note');
  });

  test('a path that steps back', () => {
    expect(judgeDots(false, false).level).toBe('ok');
    expect(judgeDots(false, true).text).toContain('unescapes %2F');
    expect(judgeDots(true, false).text).toContain('resolves ..');
  });
});
