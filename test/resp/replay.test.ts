/**
 * The door compared with a real Redis: all recorded sequences, command by command and all at once. If Redis is
 * installed, also new random sequences, from a seed that is printed.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openRespDoor } from '../support/resp-door.ts';
import type { RespFixture } from '../support/resp-door.ts';
import { DIFFERENCES, differenceOf } from './differences.ts';
import type { Difference } from './differences.ts';
import { readFixture } from './fixtures.ts';
import { FAMILIES } from './lists/families.ts';
import { canPipeline, play } from './play.ts';
import { randomSequence } from './random.ts';
import { randomCalls } from './random-calls.ts';
import { startRedisPair } from './redis-pair.ts';
import { redisVersion } from './redis-server.ts';
import { explain } from './sequence.ts';
import type { Sequence } from './sequence.ts';

/** `CAUSEWAY_RESP_SEQUENCES=5000` for a search. */
const RANDOM_SEQUENCES = Number(process.env.CAUSEWAY_RESP_SEQUENCES ?? 60);
const RANDOM_LENGTH = 30;
const SEQUENCE_MS_MAX = 1_000;
const FAULTS_TOLD_MAX = 40;

let door: RespFixture;
const met = new Set<Difference>();
beforeAll(async () => {
  door = await openRespDoor({ idleMsMax: 0, connectionsMax: 1_000 });
});
afterAll(() => door.stop());
beforeEach(() => door.api.records.clear());

/** Empty, or the wrong reply beside the expected one. */
async function faultOf(
  sequence: Sequence,
  expected: readonly string[],
  pipelined: boolean,
): Promise<string | undefined> {
  door.api.records.clear();
  const given = await play(door.server.port, sequence, pipelined);
  const right = sequence.steps.map((step, at) => {
    const reply = given[at] ?? '(nothing)';
    if (reply === expected[at]) return reply;
    const difference = differenceOf(sequence, step, reply);
    if (difference === undefined) return expected[at]!;
    met.add(difference);
    return reply;
  });
  return right.join('\n') === given.join('\n') ? undefined : explain(sequence, given, right);
}

function told(faults: readonly (string | undefined)[]): string {
  const found = faults.filter((fault) => fault !== undefined);
  return found.length === 0
    ? ''
    : `${found.length} sequences\n\n${found.slice(0, FAULTS_TOLD_MAX).join('\n\n')}`;
}

const recordedOf = ({ steps }: Sequence): string[] => steps.map(({ reply }) => reply ?? '');

const families = Object.keys(FAMILIES);

describe.each(families)('%s', (family) => {
  const { sequences } = readFixture(family);

  test('command after command: what Redis answered', async () => {
    const faults: (string | undefined)[] = [];
    for (const sequence of sequences) faults.push(await faultOf(sequence, recordedOf(sequence), false));
    expect(told(faults)).toBe('');
  });

  test('all commands of a sequence at once: the same', async () => {
    const faults: (string | undefined)[] = [];
    for (const sequence of sequences.filter(canPipeline))
      faults.push(await faultOf(sequence, recordedOf(sequence), true));
    expect(told(faults)).toBe('');
  });
});

test('each difference by design was met', () => {
  expect(DIFFERENCES.filter((one) => !met.has(one)).map(({ reason }) => reason)).toEqual([]);
});

test('a reply that is not what was recorded: found, and told with what was expected', async () => {
  const sequence = readFixture('strings').sequences[0]!;
  const expected = recordedOf(sequence);
  const fault = await faultOf(sequence, ['+KO', ...expected.slice(1)], false);
  expect(fault).toContain('      expected +KO\n      given    +OK');
  expect(await faultOf(sequence, expected, false)).toBe(undefined);
});

test('a door that closes too early, or says one reply too many: found', async () => {
  const { sequences } = readFixture('connection');
  const sequence = sequences.find(({ steps }) => steps[0]!.text === 'PING')!;
  const expected = recordedOf(sequence);
  const early = { ...sequence, steps: [sequence.steps.at(-1)!, ...sequence.steps] };
  expect(await faultOf(early, ['+OK', ...expected], false)).toContain('<closed>');
  const late = {
    ...sequence,
    steps: [{ ...sequence.steps[0]!, kind: 'silent' as const }, ...sequence.steps],
  };
  expect(await faultOf(late, ['', ...expected], false)).toContain('given    +PONG');
});

const version = redisVersion();
if (version === undefined) console.warn('skipped: random sequences beside a Redis (none installed)');
describe.skipIf(version === undefined).each([
  ['random sequences', randomSequence],
  ['calls of every shape', randomCalls],
])('%s', (name, drawn) => {
  test('what the installed Redis answers', { timeout: RANDOM_SEQUENCES * SEQUENCE_MS_MAX }, async () => {
    const seed = Number(process.env.CAUSEWAY_RESP_SEED ?? Date.now() % 1_000_000);
    console.info(`${name}: CAUSEWAY_RESP_SEED=${seed}, Redis ${version}`);
    const redis = await startRedisPair();
    try {
      const faults: (string | undefined)[] = [];
      for (let at = 0; at < RANDOM_SEQUENCES; at += 1) {
        const sequence = drawn(seed + at, RANDOM_LENGTH);
        const isPipelined = at % 2 === 0;
        faults.push(await faultOf(sequence, await redis.play(sequence, isPipelined), isPipelined));
      }
      expect(told(faults)).toBe('');
    } finally {
      await redis.close();
    }
  });
});
