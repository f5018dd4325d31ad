/**
 * Reads by `redis-benchmark`, Redis' own tool, for both clusters; it asks each node for the keys of its slots. The
 * number of commands is read from the nodes at two moments while it runs, because with `--cluster` the tool itself only
 * ends at the next quarter of a second, and its own figure is as coarse.
 */
import { execFile, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { World } from '../world.ts';
import type { Contender } from './contender.ts';
import { portsOf } from './contender.ts';
import { withRedis } from './redis-systems.ts';

const CLIENTS = 50;
const VALUE_BYTES = 100;
/** The tool draws one key for each slot; after this many writes one in a thousand is still missing. */
const WRITES = 110_000;
/** More than it can do: it is stopped when enough was measured. */
const READS = 1_000_000_000;
/** Milliseconds until it runs at its full rate. */
const BEGINS_MS = 300;

export interface ToolRates {
  readonly pipeline: number;
  readonly rates: readonly (readonly [contender: Contender, rate: number[]])[];
}

/** All systems in turn; `seconds` is the time of each run. */
export async function toolRates(
  world: World,
  contenders: readonly Contender[],
  rounds: number,
  seconds: number,
  tell: (text: string) => void,
): Promise<ToolRates[]> {
  for (const contender of contenders) {
    tell(`redis-benchmark fills ${contender.system.name}`);
    await fill(contender);
  }
  const results: ToolRates[] = [];
  for (const pipeline of [1, 16]) {
    const rates = contenders.map((contender) => [contender, [] as number[]] as const);
    for (let round = 0; round < rounds; round += 1) {
      for (let each = 0; each < rates.length; each += 1) {
        const [contender, found] = rates[(each + round) % rates.length]!;
        const at = `pipeline of ${pipeline}, round ${round + 1} of ${rounds}`;
        tell(`redis-benchmark, ${at}: ${contender.system.name}`);
        found.push(await readRate(world, contender, pipeline, seconds));
      }
    }
    results.push({ pipeline, rates });
  }
  return results;
}

function fill(contender: Contender): Promise<void> {
  const args = argsFor(contender, ['-t', 'set', '-c', '512', '-n', String(WRITES), '--csv']);
  return new Promise((resolve, reject) => {
    execFile('redis-benchmark', args, { timeout: 60_000 }, (error, output) => {
      if (error === null) resolve();
      else reject(new Error(`redis-benchmark says: ${output.slice(-500)}`, { cause: error }));
    });
  });
}

/** Commands per second, of all nodes together. */
async function readRate(
  world: World,
  contender: Contender,
  pipeline: number,
  seconds: number,
): Promise<number> {
  const options = ['-t', 'get', '-c', String(CLIENTS), '-P', String(pipeline), '-n', String(READS), '-q'];
  const tool = spawn('redis-benchmark', argsFor(contender, options), { stdio: 'ignore' });
  const ended = new Promise((resolve) => tool.once('close', resolve));
  world.atClose(async () => void tool.kill('SIGKILL'));
  try {
    await delay(BEGINS_MS);
    const before = await commandsDone(contender);
    await delay(seconds * 1_000);
    const after = await commandsDone(contender);
    if (tool.exitCode !== null) throw new Error(`redis-benchmark ended by itself with ${tool.exitCode}`);
    return after.reduce((sum, { count, at }, node) => {
      const { count: from, at: since } = before[node]!;
      return sum + ((count - from) / (at - since)) * 1_000;
    }, 0);
  } finally {
    tool.kill('SIGKILL');
    await ended;
  }
}

function commandsDone({ system }: Contender): Promise<{ count: number; at: number }[]> {
  return Promise.all(
    portsOf(system).map((port) =>
      withRedis(port, async (redis) => {
        const told = await redis.info('stats');
        const found = /^total_commands_processed:(\d+)/m.exec(told);
        if (found === null) throw new Error('a node does not tell how many commands it has done');
        return { count: Number(found[1]), at: performance.now() };
      }),
    ),
  );
}

function argsFor({ system }: Contender, options: readonly string[]): string[] {
  return ['-p', String(portsOf(system)[0]), '--cluster', '-d', String(VALUE_BYTES), ...options];
}
