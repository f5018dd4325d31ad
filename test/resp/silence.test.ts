/** Which calls are answered while CLIENT REPLY is OFF or SKIP: all bytes compared with those of an installed Redis. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openRespDoor } from '../support/resp-door.ts';
import type { RespFixture } from '../support/resp-door.ts';
import { RespConnection } from './connection.ts';
import { commandBytes } from './play.ts';
import { END, randomSilence } from './random-silence.ts';
import { redisVersion, startRedis } from './redis-server.ts';
import { parseCommand } from './text.ts';

/** `CAUSEWAY_RESP_SEQUENCES=5000` for a search. */
const SEQUENCES = Number(process.env.CAUSEWAY_RESP_SEQUENCES ?? 60);
const LENGTH = 25;
const SEQUENCE_MS_MAX = 1_000;
const FAULTS_TOLD_MAX = 5;
/** In the reply to HELLO: what each server says of itself. */
const OF_ITSELF = /(?<=\$2\r\nid\r\n):\d+|(?<=\$\d+\r\n(version|mode)\r\n)\$\d+\r\n[\w.]+/g;

/**
 * What a RESP3 server pushes comes at its own time, and the door tells also of a deletion that removed nothing. What
 * Redis pushes must come, unless tracking ended meanwhile: then nobody needs it.
 */
const PUSHED = />2\r\n\$10\r\ninvalidate\r\n\*1\r\n\$1\r\n(.)\r\n/g;
const ENDS_TRACKING = /^(RESET|HELLO 2|CLIENT TRACKING OFF)$/;

function isLacking(lines: readonly string[], expected: string, given: string): boolean {
  if (lines.some((line) => ENDS_TRACKING.test(line))) return false;
  const keysIn = (text: string): Set<string> => new Set([...text.matchAll(PUSHED)].map(([, key]) => key!));
  return [...keysIn(expected)].some((key) => !keysIn(given).has(key));
}

async function bytesOf(port: number, lines: readonly string[]): Promise<string> {
  const connection = await RespConnection.open(port);
  try {
    connection.send(Buffer.concat(lines.map((line) => commandBytes(parseCommand(line)))));
    const text = (await connection.until(`${END}\r\n`)).toString('latin1');
    return text.replaceAll(OF_ITSELF, '<its own>');
  } finally {
    connection.close();
  }
}

function told(seed: number, lines: readonly string[], expected: string, given: string): string {
  const [right, wrong] = [expected, given].map((text) => text.split('\r\n'));
  const at = right!.findIndex((line, index) => line !== wrong![index]);
  const from = Math.max(0, at - 8);
  return [
    `seed ${seed}: ${lines.join(' | ')}`,
    `expected ${right!.slice(from, at + 8).join(' ')}`,
    `given    ${wrong!.slice(from, at + 8).join(' ')}`,
  ].join('\n');
}

const version = redisVersion();
if (version === undefined) console.warn('skipped: replies switched off beside a Redis (none installed)');
describe.skipIf(version === undefined)('replies that are switched off', () => {
  let door: RespFixture;
  beforeAll(async () => {
    door = await openRespDoor();
  });
  afterAll(() => door.stop());

  test(
    'what the installed Redis sends, byte for byte',
    { timeout: SEQUENCES * SEQUENCE_MS_MAX },
    async () => {
      const seed = Number(process.env.CAUSEWAY_RESP_SEED ?? Date.now() % 1_000_000);
      console.info(`replies switched off: CAUSEWAY_RESP_SEED=${seed}, Redis ${version}`);
      const redis = await startRedis('plain');
      const faults: string[] = [];
      try {
        for (let at = 0; at < SEQUENCES && faults.length < FAULTS_TOLD_MAX; at += 1) {
          const lines = randomSilence(seed + at, LENGTH);
          await redis.do('FLUSHALL');
          door.api.records.clear();
          const expected = await bytesOf(redis.port, lines);
          const given = await bytesOf(door.server.port, lines);
          const [right, wrong] = [expected, given].map((text) => text.replaceAll(PUSHED, ''));
          if (right !== wrong || isLacking(lines, expected, given))
            faults.push(told(seed + at, lines, expected, given));
        }
        expect(faults.join('\n\n')).toBe('');
      } finally {
        await redis.close();
      }
    },
  );
});
