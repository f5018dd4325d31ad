/** Messages on a terminal of 80 columns: no line is wider. Output to anything else is not wrapped. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { keptIo } from '../../test/support/command-io.ts';
import type { Ran } from '../../test/support/command-io.ts';
import { openDoors } from '../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../test/support/grpc-call.ts';
import type { RecordServerFacts } from '../client/index.ts';
import { ERROR_TABLE } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import { adoptionLines } from './cluster-adopt.ts';
import { lossLines } from './cluster-recover.ts';
import { quorumLines } from './cluster-succession.ts';
import { upgradeLines } from './cluster-upgrade.ts';
import { fitted, fittedText, printLines } from './fitted.ts';
import { runCommand } from './main.ts';
import { lineInPlace } from './progress.ts';
import { tableLines } from './table.ts';
import { openScreen } from './up-screen.ts';
import { readyText } from './up-text.ts';

const COLUMNS = 80;
const NOBODY = '127.0.0.1:1';

function tooWide(text: string): string[] {
  return text.split('\n').filter((line) => line.length > COLUMNS);
}

describe('a text', () => {
  test('wider than the terminal: broken between words, what follows under where it began', () => {
    expect(fittedText('one two three\n  four five six\n- seven eight nine\n', 10)).toBe(
      'one two\nthree\n  four\n  five six\n- seven\n  eight\n  nine\n',
    );
    expect(fittedText('exactly 10', 10)).toBe('exactly 10');
    expect(fittedText('a /path/that/is/long b', 10)).toBe('a\n/path/that/is/long\nb');
  });

  test('in a pipe: one line stays one line, and bytes are never touched', () => {
    const { io, ran } = keptIo();
    const long = 'word '.repeat(40);
    fitted(io.stderr).write(long);
    expect(ran.err).toBe(long);
    const before = keptIo(undefined, false, 20);
    fitted(before.io.stderr).write(Buffer.from(long));
    expect(before.ran.err).toBe(long);
  });

  test('shown in place: cut where it would begin a second line', () => {
    const { io, ran } = keptIo(undefined, false, 20);
    lineInPlace(fitted(io.stderr))('x'.repeat(30), true);
    expect(ran.err).toBe(`\r\u001b[K${'x'.repeat(18)}…\n`);
  });
});

test('a table: on a terminal its lines are cut, and not broken; in a pipe every value is whole', () => {
  const headings = ['NODE', 'STATE'];
  const rows = [['node-'.repeat(20), 'serving']];
  const cut = tableLines(headings, rows, COLUMNS);
  expect(cut.map((line) => line.length)).toEqual([COLUMNS, COLUMNS]);
  expect(cut[1]!.endsWith('node…')).toBe(true);
  expect(tableLines(headings, rows)[1]).toBe(`${rows[0]![0]!}  serving`);
});

describe('commands', () => {
  let doors: DoorFixture;
  beforeEach(async () => {
    doors = await openDoors();
  });
  afterEach(() => doors.stop());

  async function run(...words: string[]): Promise<Ran> {
    const { ran, io } = keptIo('', false, COLUMNS);
    await runCommand(words, io);
    return ran;
  }

  test.each(Object.keys(ERROR_TABLE) as ErrorCode[])(
    'failed with %s: told within 80 columns',
    async (code) => {
      doors.api.failWith = code;
      const { err } = await run('set', 'a', 'x', '--nodes', doors.address, '--timeout', '300');
      expect(err).toContain(code);
      expect(tooWide(err)).toEqual([]);
    },
  );

  test.each([
    ['nothing'],
    ['get'],
    ['get', 'a', '--nodes', 'here'],
    ['get', 'a', '--nodes', NOBODY],
    ['status', '--nodes', `${NOBODY},127.0.0.1:2`],
    ['inspect', 'a', '--nodes', NOBODY],
    ['set', 'a', 'x', '--ttl', 'as long as it is wanted by somebody'],
    ['set', 'a', 'x', '--operation-id', '00000000-0000-0000-0000-00000000000'],
    ['import', '/nowhere/at/all/in/a/directory/with/a/long/name/rows.ndjson'],
    ['import', '-', '--restart'],
    ['export', '--after', 'x', '--checkpoint', 'y'],
    ['bench', '--url', '10.255.255.1:50051,10.255.255.2:50051,10.255.255.3:50051'],
    ['cluster', 'plan', '--join', ':', '--nodes', NOBODY],
    [
      'config',
      'check',
      '--set',
      'grpc.port=x',
      '--set',
      'postgres.url=hello',
      '--set',
      'no.such.setting.at.all=1',
    ],
    ['up', '--nodes', '12'],
  ])('%s %s: what is wrong, within 80 columns', async (...words) => {
    const given = words.filter((word) => word !== undefined);
    const { code, out, err } = await run(...given);
    expect(code).toBeGreaterThan(0);
    expect(tooWide(out + err)).toEqual([]);
    // A message, not a stack trace.
    expect(err).not.toMatch(/\n {4}at /);
  });

  test('status of a node of which everything is wrong', async () => {
    doors.api.statusChanges = {
      record: {
        state: 'down',
        reason: 'password authentication failed for user "somebody whose name is rather long"',
        isForeign: true,
        known: { system: '7713706758667859800', timeline: 1 },
        seen: { system: '7713706758667859801', timeline: 12 },
        drive: {
          isDriven: false,
          slotsTotal: 16_384,
          slotsDone: 12_288,
          bytesPerSecond: 12_345_678,
          secondsLeft: 90,
        },
        byHand: {
          waiting: 2_000,
          waitingMs: 61_000,
          reason: 'too few owners are up',
          overtaken: 1_000,
          refused: 12,
        },
      } as never,
      spool: {
        ...{
          outage: 'spool',
          isOn: true,
          isFull: true,
          entries: 1_234_567,
          bytes: 3 << 29,
          oldestMs: 61_000,
        },
        ...{ conflicts: 12, drainedPerSecond: 0 },
      },
      disk: { state: 'low', freeBytes: 1 << 30, reserveBytes: 1 << 31 } as never,
      load: { state: 'refusing', refused: 1_234_567 } as never,
      refusals: [
        { peer: 'node-2', reason: 'setting cluster.replicas: 3 there, 2 here; set it alike everywhere' },
      ],
    };
    const { out } = await run('status', '--only', '--nodes', doors.address);
    expect(out).toContain('refuse each other');
    expect(tooWide(out)).toEqual([]);
  });

  test('status of a node with a long name: within 80 columns, and whole where it goes to a program', async () => {
    const name = 'node-'.repeat(20);
    doors.api.statusChanges = { name };
    const words = ['status', '--only', '--nodes', doors.address];
    expect(tooWide((await run(...words)).out)).toEqual([]);
    const { io, ran } = keptIo();
    await runCommand(words, io);
    expect(ran.out).toContain(`${name}  ${doors.address}  serving`);
  });
});

test('what is read before something is given up for good: within 80 columns, and its lines are not broken again', () => {
  const server = (system: string) => ({ system, timeline: 1, clusterId: 'd1c5a2f0-1', life: 1 });
  const facts = (verdict: string, loses: string) =>
    ({
      ...{ known: server('17'), seen: server('18'), isDriven: true },
      ...{ isCounted: true, rowCount: 1_234_567, newestAtMs: 0, verdict, why: '', loses },
    }) as unknown as RecordServerFacts;
  const member = (name: string, isUp: boolean) => ({ name, isUp, votes: true });
  const quorum = {
    ...{
      members: [member('node-1', true), member('node-2', false)],
      life: 1,
      lifeKept: 2,
      isLifeKnown: true,
    },
    ...{ ownersNeeded: 2, notWrittenThrough: ['session:'] },
  };
  const loss = {
    ...{
      slots: [1, 2, 3],
      recovering: 12,
      notWrittenThrough: ['session:'],
      isCounted: true,
      hasMoreKept: true,
    },
    ...{ holders: [{ name: 'node-2', slots: 3, isMember: true }], recordsKept: 1_000, recordsHere: 12 },
  };
  const texts = [
    adoptionLines([{ address: '127.0.0.1:50051', facts: facts('earlier', 'operation ids') }]),
    lossLines([{ address: '127.0.0.1:50051', loss: loss }]),
    quorumLines(quorum as never),
    upgradeLines({ protocol: { speaks: 10, inForce: 9 }, members: [] }),
    readyText(
      {
        nodes: [1, 2, 3].map((at) => ({
          ...{ name: `node-${at}`, grpcPort: 50_050 + at, httpPort: 18_080 + at, respPort: 17_000 + at },
        })),
        databaseUrl: 'postgresql://admin@127.0.0.1:54320/cache_db',
        legacyUrl: 'http://127.0.0.1:8001/legacy/data/{key}',
        logs: '/l',
      },
      'npx causeway',
    ),
  ];
  for (const lines of texts) {
    expect(tooWide(lines.join('\n'))).toEqual([]);
    const { io, ran } = keptIo(undefined, false, COLUMNS);
    printLines(io.stdout, lines);
    expect(ran.out).toBe(lines.map((line) => `${line}\n`).join(''));
  }
});

test('npm start: what it waits for, and why it does not start', () => {
  const { io, ran } = keptIo(undefined, false, COLUMNS);
  const screen = openScreen(io.stdout, io.stderr, 'npx causeway', false);
  const text = 'port 50052 for node-2 (gRPC) is taken: free it, or choose another with --grpc-port '.repeat(
    3,
  );
  screen.event({ kind: 'progress', text });
  screen.failed(text);
  expect(tooWide(ran.out + ran.err)).toEqual([]);
  expect(ran.err.replaceAll('\n', ' ')).toContain(text.trimEnd());
});
