/** The end of a run under load: the cluster comes to rest, is examined from all sides, and is judged. */
import type { RunOptions } from './options.ts';
import type { TimedOperation } from './chaos/run-lines.ts';
import type { Load } from './load.ts';
import { surveyOf, type Survey } from './survey.ts';
import { acknowledgedWrites, findFaults } from './verdict.ts';
import { ownerCountOf, statusOf, untilAtRest, untilReady, type World } from './world.ts';

/** A run with fewer successful operations shows nothing. */
export const SUCCEEDED_MIN = 5_000;

/** How often the examination is repeated if an epoch has changed meanwhile. */
const SURVEYS_MAX = 10;

export interface Judgement {
  readonly faults: readonly string[];
  readonly told: readonly string[];
  readonly figures: Readonly<Record<string, unknown>>;
}

/** The load must have stopped; its operations are in `history`. */
export async function judge(
  world: World,
  load: Load,
  history: readonly TimedOperation[],
  tell: RunOptions['tell'],
): Promise<Judgement> {
  const keys = load.keys();
  tell(`looking up ${keys.length} keys at every node and in PostgreSQL`);
  const survey = await surveyAtRest(world, load.prefix, keys);
  for (const { node, key, outcome } of survey.reads) {
    load.note({ key, client: `at rest, ${node}`, call: { kind: 'get' }, outcome });
  }
  const faults = findFaults({ history, survey, ownerCount: ownerCountOf(world) });
  const count = (kind: string): number => history.filter(({ outcome }) => outcome.kind === kind).length;
  const byCall = countBy(history.map(({ call }) => call.kind));
  const elsewhere = survey.stores.some(({ byKey }) => [...byKey.values()].some(({ owner }) => !owner));
  return {
    faults,
    told: [
      `operations   ${load.succeeded} succeeded, ${load.acknowledged} of them acknowledged writes`,
      `calls        ${Object.entries(byCall)
        .map(([kind, calls]) => `${kind} ${calls}`)
        .join(', ')}`,
      `failures     ${count('indefinite')} indefinite, ${count('definiteFailure')} definite`,
      `looked up    ${acknowledgedWrites(history).length} writes on ${keys.length} keys, ${survey.rows.size} rows of PostgreSQL`,
      ...(elsewhere ? ['forwarded    yes: keys have owners on some of the nodes only'] : []),
      `longest stall ${Math.round(load.stallMsMax)} ms without an acknowledged write`,
    ],
    figures: {
      succeeded: load.succeeded,
      acknowledged: load.acknowledged,
      indefinite: count('indefinite'),
      definiteFailures: count('definiteFailure'),
      keys: keys.length,
      stallMsMax: Math.round(load.stallMsMax),
      forwarded: elsewhere,
      byCall,
    },
  };
}

/** All in one epoch: while owners change, not all of them can be examined. */
export async function surveyAtRest(world: World, prefix: string, keys: readonly string[]): Promise<Survey> {
  for (let attempt = 1; attempt <= SURVEYS_MAX; attempt += 1) {
    await untilReady(world);
    await untilAtRest(world);
    const before = await epochs(world);
    const survey = await surveyOf(world, prefix, keys);
    const isOneEpoch = new Set([...before, ...(await epochs(world))]).size === 1;
    if (isOneEpoch) return survey;
  }
  throw new Error(`the cluster does not come to rest: its epoch changed in each of ${SURVEYS_MAX} surveys`);
}

async function epochs(world: World): Promise<number[]> {
  return (await Promise.all(world.nodes.map(statusOf))).map((status) => status?.epoch ?? -1);
}

function countBy(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
