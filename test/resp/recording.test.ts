/**
 * The recorded replies are what they claim to be: they belong to the commands in the lists, are complete and, if a
 * Redis of that version is installed, still its replies. The comparison tools are shown to find a wrong reply.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { absenceOf, COMMANDS } from '../../src/servers/resp/command-table.ts';
import { readFixture } from './fixtures.ts';
import { parseFrame, frameBytes } from './frame.ts';
import { FAMILIES } from './lists/families.ts';
import { startRedisPair } from './redis-pair.ts';
import type { RedisPair } from './redis-pair.ts';
import { redisVersion } from './redis-server.ts';
import { ruled } from './rules.ts';
import { explain, fixtureText, parseFixture, sequenceOf } from './sequence.ts';
import type { Sequence } from './sequence.ts';
import { commandText, parseCommand, replyBytes, replyText } from './text.ts';

const families = Object.keys(FAMILIES);
const installed = redisVersion();
const recordedWith = readFixture('strings').version;
if (installed !== recordedWith) {
  console.warn(
    `skipped: recorded replies beside Redis ${recordedWith} (here: ${installed ?? 'none installed'})`,
  );
}

const textsOf = ({ server, title, steps }: Sequence): string =>
  [`${title} [${server}]`, ...steps.map(({ text }) => text)].join('\n');

describe('the files of recorded replies', () => {
  test.each(families)('%s: the commands of the lists, each with its reply', (family) => {
    const { version, sequences } = readFixture(family);
    expect(version).toBe(recordedWith);
    expect(sequences.map(textsOf)).toEqual(FAMILIES[family]!().map(textsOf));
    for (const { steps } of sequences)
      for (const { kind, reply } of steps) expect(reply === undefined).toBe(kind === 'silent');
  });

  test('all of them together: a few thousand sequences', () => {
    const count = families.reduce((sum, family) => sum + readFixture(family).sequences.length, 0);
    expect(count).toBeGreaterThan(2_000);
  });
});

describe.skipIf(installed !== recordedWith)(`beside Redis ${recordedWith}`, () => {
  let redis: RedisPair;
  beforeAll(async () => {
    redis = await startRedisPair();
  });
  afterAll(() => redis.close());

  test.each(families)(
    '%s: each reply is what Redis answers, also to all commands at once',
    async (family) => {
      const faults: string[] = [];
      for (const sequence of readFixture(family).sequences) {
        const expected = sequence.steps.map(({ reply }) => reply ?? '');
        const given = await redis.play(sequence, true);
        if (given.join('\n') !== expected.join('\n')) faults.push(explain(sequence, given, expected));
      }
      expect(faults.join('\n\n')).toBe('');
    },
  );

  test('every command that it lists, and every subcommand, is here or said to be absent', async () => {
    const [listed] = await redis.play(sequenceOf('server', 'all commands', 'plain', ['COMMAND LIST']));
    const names = [...listed!.matchAll(/\$\d+\\n([a-z|_-]+)/g)].map(([, name]) => name!);
    expect(names.length).toBeGreaterThan(300);
    const unknown = names.filter((name) => {
      const [container, sub] = name.split('|');
      if (absenceOf(name) !== undefined || absenceOf(container!) !== undefined) return false;
      const command = COMMANDS.named(container!);
      return sub === undefined ? command === undefined : command?.subcommands?.has(sub) !== true;
    });
    expect(unknown).toEqual([]);
  });

  test('a reply that is another than the recorded one: found, and told with the commands before it', async () => {
    const sequence = readFixture('strings').sequences.find(({ steps }) => steps[0]!.text === 'SET k hello')!;
    const expected = sequence.steps.map(({ reply }, at) => (at === 0 ? '+KO' : reply!));
    const given = await redis.play(sequence);
    const told = explain(sequence, given, expected);
    expect(told).toContain('    SET k hello\n      expected +KO\n      given    +OK\n');
    expect(told).toContain(`    ${sequence.steps[1]!.text} => ${expected[1]!}`);
  });
});

describe('text for people', () => {
  const words = [
    '',
    'a',
    'a b',
    '"',
    'a"b',
    '\\',
    '\r\n',
    '\n',
    '\x00\xff',
    '=>',
    '{tag}',
    '{a*50}',
    'a'.repeat(50),
  ];

  test.each(words)('the word %j comes back from its text', (word) => {
    const args = [Buffer.from('GET'), Buffer.from(word, 'latin1')];
    expect(parseCommand(commandText(args))).toEqual(args);
  });

  test.each([
    '+OK',
    '$-1',
    '$3\r\na\\b',
    '$5\r\n\r\n\n\x00\xff',
    `$60\r\n${'b'.repeat(60)}`,
    '$6\r\n{a*40}',
    '$1\r\n"',
  ])('the reply %j comes back from its text', (reply) => {
    const bytes = Buffer.from(`${reply}\r\n`, 'latin1');
    expect(replyBytes(replyText(bytes))).toEqual(bytes);
    expect(replyText(bytes)).not.toMatch(/[^ -~]/);
  });

  test('bytes that do not end a reply keep their end', () => {
    for (const text of ['', '+O', '$3\r\nab', '\\'])
      expect(replyBytes(replyText(Buffer.from(text)))).toEqual(Buffer.from(text));
  });

  test('a file of sequences comes back from its text', () => {
    const lines = ['SET k "a b"', '2> GET k', '!PING', 'raw "PING\\n"', '@scan MATCH *', '@push'];
    const steps = sequenceOf('f', 'title', 'cluster', lines).steps.map((step) =>
      step.kind === 'silent' ? step : { ...step, reply: '+OK' },
    );
    const sequences: Sequence[] = [
      { family: 'f', title: 'title', server: 'cluster', steps },
      { family: 'f', title: 'title', server: 'cluster', steps: steps.slice(1) },
      { family: 'f', title: 'another', server: 'plain', steps },
    ];
    expect(parseFixture('f', fixtureText(['head'], sequences))).toEqual(sequences);
  });
});

describe('replies', () => {
  const whole = [
    '+OK',
    '-ERR x',
    ':-5',
    '_',
    ',1.5',
    '#t',
    '(123',
    '$-1',
    '$0\r\n',
    '*-1',
    '*0',
    '*2\r\n$1\r\na\r\n:1',
  ];
  const ofMaps = ['%1\r\n$1\r\na\r\n*1\r\n_', '~1\r\n:1', '>2\r\n+a\r\n+b', '=5\r\ntxt:a'];

  test.each([...whole, ...ofMaps])('%j: read to its last byte, and written back alike', (text) => {
    const bytes = Buffer.from(`${text}\r\n`);
    for (let cut = 0; cut < bytes.length; cut += 1)
      expect(parseFrame(bytes.subarray(0, cut), 0)).toBe(undefined);
    const parsed = parseFrame(bytes, 0)!;
    expect(parsed.end).toBe(bytes.length);
    expect(frameBytes(parsed.frame)).toEqual(bytes);
  });

  test.each(['OK', '*x', '$01\r\na', '$1\r\nabc', '!', '*+1', '\r\nPING'])('%j: no reply', (text) => {
    expect(() => parseFrame(Buffer.from(`${text}\r\n`), 0)).toThrow();
  });

  const NOW = 1_800_000_000_000;
  test.each([
    ['TTL k', ':100', '<100 left>'],
    ['TTL k', ':99', '<100 left>'],
    ['TTL k', ':-1', ':-1'],
    ['PTTL k', ':99980', '<100000 left>'],
    ['PTTL k', ':101000', '<110000 left>'],
    ['EXPIRETIME k', ':1800000100', '<100 ahead>'],
    ['EXPIRETIME k', ':4099000000', ':4099000000'],
    ['TTL k', ':2298999999', '<until 4099000000>'],
    ['TTL k', '-ERR x', '-ERR x'],
    ['TTL k', '$2\\n99', '$2\\n99'],
    ['KEYS *', '*2\\n$1\\nb\\n$1\\na', '*2\\n$1\\na\\n$1\\nb'],
    ['SCAN 0', '*2\\n$2\\n17\\n*0', '<a page>'],
    ['SCAN 0', '*2\\n$1\\n0\\n*2\\n$1\\nb\\n$1\\na', '*2\\n$1\\n0\\n*2\\n$1\\na\\n$1\\nb'],
    ['CLIENT ID', ':7', '<id>'],
    ['CLIENT ID', '$1\\n7', '$1\\n7'],
    ['TIME', '*2\\n$1\\n5\\n$1\\nx', '*2\\n$1\\n5\\n$1\\nx'],
    ['GET k', ':100', ':100'],
  ])('%s, answered %j: told as %j', (command, reply, told) => {
    const parsed = parseFrame(replyBytes(reply), 0)!;
    expect(ruled(parseCommand(command), parsed.frame, NOW)).toBe(told);
  });
});
