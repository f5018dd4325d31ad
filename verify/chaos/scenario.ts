/**
 * A scenario is data: the size of the cluster, what clients do, which faults strike in which order, and what must hold
 * in addition to what always must. Our scenarios are in `scenarios/`, one file each; others can be read from any path.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { repositoryRoot } from '../../test/support/root.ts';
import { faultSpec } from './fault-spec.ts';

const count = z.int().min(0);
/** A missing section takes the defaults of its members. */
const section = <Shape extends z.ZodRawShape>(shape: Shape) => z.strictObject(shape).prefault({} as never);

const RING_NODES_MIN = 4;

const SCENARIO = z
  .strictObject({
    about: z.string().min(1),
    nodes: z.int().min(1).max(9).default(3),
    /** Faults strike for this long, and until each has struck. */
    seconds: z.int().min(1).max(86_400),
    load: section({
      clients: z.int().min(1).max(200).default(24),
      /** Additional clients that only read. */
      readers: z.int().min(0).max(200).default(6),
      registers: count.default(150),
      counters: count.default(16),
      /** Whether clients also use keys of the legacy API. */
      legacy: z.boolean().default(true),
      /** Maximum pause of a client between two operations, in milliseconds. */
      restMs: count.default(6),
      /** Whether some writes are conditional, increments among them. */
      conditions: z.boolean().default(true),
      /** Whether definite failures are retried until the operation's deadline. */
      retries: z.boolean().default(false),
      /** Number of keys that are written before anything else, and looked up at every node at the end. */
      bulkKeys: z.int().min(0).max(99_999_999).default(0),
      bulkValueBytes: z.int().min(1).max(1_000_000).default(100),
    }),
    /** As written, over and over; or shuffled anew in each round. */
    order: z.enum(['as-written', 'shuffled']).default('shuffled'),
    /** How many faults may be in force at once. */
    atOnce: z.int().min(1).max(4).default(1),
    /** Milliseconds from the end of one fault to the beginning of the next. */
    restMs: z.tuple([count, count]).default([300, 1_200]),
    /** Whether every node must be a complete owner again before the next fault. */
    untilReady: z.boolean().default(true),
    faults: z.array(faultSpec).min(1),
    expect: section({
      operationsMin: count.default(2_000),
      /** Number of faults of any kind that must have struck; faults continue until then. Not checked if omitted. */
      faultsMin: count.optional(),
      /** Maximum number of operations that failed for good, including retries. Not checked if omitted. */
      failuresMax: count.optional(),
      /** While a fault lasts, clients must be served nearly as fast as without one. Not checked if omitted. */
      steady: z
        .strictObject({
          /** Milliseconds from the beginning of the fault until this must hold. */
          afterMs: count,
          /** The 99th percentile may be at most this multiple of the usual one, plus this many milliseconds. */
          factorMax: z.number().min(1),
          slackMs: count.default(0),
        })
        .optional(),
      /** Limit on the records that a change of members may copy, as a multiple of the minimum. Not checked if omitted. */
      movedFactorMax: z.number().min(1).optional(),
      /** Whether processes may end by themselves: a store that cannot write ends its node. */
      endings: z.boolean().default(false),
    }),
  })
  .superRefine(({ nodes, faults }, context) => {
    faults.forEach((spec, at) => {
      if ('shape' in spec && spec.shape === 'ring' && nodes < RING_NODES_MIN) {
        const message = `a ring needs at least ${RING_NODES_MIN} nodes: of fewer each is next to every other`;
        context.addIssue({ code: 'custom', path: ['faults', at, 'shape'], message });
      }
    });
  });

export type Scenario = z.infer<typeof SCENARIO> & { readonly name: string };

class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
}

const FOLDER = join(repositoryRoot, 'verify', 'chaos', 'scenarios');
const KIND = '.yaml';

export function scenarioNames(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(KIND))
    .map((file) => basename(file, KIND))
    .sort();
}

/** By the name of one of ours, or by the path of a file. Throws ScenarioError with all faults in it. */
export function readScenario(nameOrPath: string): Scenario {
  const isName = /^[\w-]+$/.test(nameOrPath);
  const path = isName ? join(FOLDER, nameOrPath + KIND) : nameOrPath;
  if (!existsSync(path)) {
    const known = isName ? `; there are ${scenarioNames().join(', ')}` : '';
    throw new ScenarioError(`there is no scenario ${nameOrPath}${known}`);
  }
  return parseScenario(readFileSync(path, 'utf8'), basename(path).replace(/\.[a-z]+$/, ''));
}

export function parseScenario(text: string, name: string): Scenario {
  const document = parseDocument(text);
  if (document.errors.length > 0) {
    throw new ScenarioError(`${name}: ${document.errors.map(({ message }) => message).join('\n')}`);
  }
  const parsed = SCENARIO.safeParse(document.toJS());
  if (parsed.success) return { ...parsed.data, name };
  const faults = parsed.error.issues.map(
    ({ path, message }) => `  ${path.join('.') || 'the file'}: ${message}`,
  );
  throw new ScenarioError(`the scenario ${name} is not usable:\n${faults.join('\n')}`);
}
