/**
 * `npm run redis:record [FAMILY ...]`: plays every list to the Redis installed on this machine and records its replies,
 * one file per family, so that `npm test` can compare the door where no Redis is installed.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fixturePath } from './fixtures.ts';
import { FAMILIES } from './lists/families.ts';
import { startRedisPair } from './redis-pair.ts';
import { redisVersion } from './redis-server.ts';
import { fixtureText } from './sequence.ts';
import type { Sequence } from './sequence.ts';

const MAJOR = '7.';

async function main(): Promise<void> {
  const version = redisVersion();
  if (version?.startsWith(MAJOR) !== true) throw new Error(`needs a redis-server ${MAJOR}x on this machine`);
  const asked = process.argv.slice(2);
  const redis = await startRedisPair();
  try {
    for (const [family, sequencesOf] of Object.entries(FAMILIES)) {
      if (asked.length > 0 && !asked.includes(family)) continue;
      const recorded: Sequence[] = [];
      for (const sequence of sequencesOf()) recorded.push(recordedOf(sequence, await redis.play(sequence)));
      const head = [
        `Redis ${version}: what it answers to the commands of test/resp/lists (${recorded.length} sequences). Made by \`npm run redis:record\`.`,
        'test/resp/sequence.ts says how a line is read, test/resp/rules.ts what stands in <...>.',
      ];
      mkdirSync(join(fixturePath(family), '..'), { recursive: true });
      writeFileSync(fixturePath(family), fixtureText(head, recorded));
      process.stdout.write(`${family}: ${recorded.length} sequences\n`);
    }
  } finally {
    await redis.close();
  }
}

function recordedOf(sequence: Sequence, replies: readonly string[]): Sequence {
  if (replies.length !== sequence.steps.length) {
    throw new Error(
      `${sequence.family}, ${sequence.title}: ${replies.at(-1)} after ${sequence.steps.map(({ text }) => text).join('; ')}`,
    );
  }
  const steps = sequence.steps.map((step, at) =>
    step.kind === 'silent' ? step : { ...step, reply: replies[at]! },
  );
  return { ...sequence, steps };
}

await main();
