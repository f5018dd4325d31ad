/** Reads as `redis-benchmark` makes them: Redis' own tool, the same one for both clusters, which asks each node for what it has. */
import { execFile } from 'node:child_process';
import type { Contender } from './contender.ts';
import { portsOf } from './contender.ts';

const CLIENTS = 50;
const VALUE_BYTES = 100;
/** The tool takes one key for each slot, by chance; after so many writes one in a thousand is missing. */
const WRITES = 110_000;
const TRIAL_READS = 40_000;

export interface ToolRates {
  readonly pipeline: number;
  readonly rates: readonly (readonly [contender: Contender, rate: number[]])[];
}

/** All by turns; `seconds` is for each run. */
export async function toolRates(
  contenders: readonly Contender[],
  rounds: number,
  seconds: number,
  tell: (text: string) => void,
): Promise<ToolRates[]> {
  for (const contender of contenders) {
    tell(`redis-benchmark fills ${contender.system.name}`);
    await run(contender, ['-t', 'set', '-c', '512', '-n', String(WRITES)]);
  }
  const results: ToolRates[] = [];
  for (const pipeline of [1, 16]) {
    const counts = new Map<Contender, number>();
    const read = (contender: Contender, count: number): Promise<number> =>
      run(contender, ['-t', 'get', '-c', String(CLIENTS), '-P', String(pipeline), '-n', String(count)]);
    for (const contender of contenders) {
      const rate = await read(contender, TRIAL_READS * pipeline);
      counts.set(contender, Math.ceil(rate * seconds));
    }
    const rates = contenders.map((contender) => [contender, [] as number[]] as const);
    for (let round = 0; round < rounds; round += 1) {
      for (let each = 0; each < rates.length; each += 1) {
        const [contender, found] = rates[(each + round) % rates.length]!;
        tell(
          `redis-benchmark, pipeline of ${pipeline}, round ${round + 1} of ${rounds}: ${contender.system.name}`,
        );
        found.push(await read(contender, counts.get(contender)!));
      }
    }
    results.push({ pipeline, rates });
  }
  return results;
}

/** Requests per second. */
function run(contender: Contender, options: readonly string[]): Promise<number> {
  const [port] = portsOf(contender.system);
  const args = ['-p', String(port), '--cluster', '-d', String(VALUE_BYTES), '--csv', ...options];
  return new Promise((resolve, reject) => {
    execFile('redis-benchmark', args, { timeout: 60_000 }, (error, output) => {
      const found = /"[SG]ET","([\d.]+)"/.exec(output);
      if (found !== null) resolve(Number(found[1]));
      else reject(new Error(`redis-benchmark says: ${output.slice(-500)}`, { cause: error ?? undefined }));
    });
  });
}
