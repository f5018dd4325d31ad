/** The command line of `npm run sim`; invalid input is refused, never ignored. */
import { parseArgs } from 'node:util';
import { PROFILES } from './profiles.ts';

export const HELP = `npm run sim -- [options]
  --seeds N         how many seeds (200, if --minutes is not given)
  --first N         the first of them (1)
  --minutes M       seeds until M minutes are over
  --nodes N         members of the cluster (3, now and then 5)
  --profile NAME    ${wrapped(Object.keys(PROFILES), 58, 20)}:
                    what a seed's life is like
  --workers N       processes (one a core)
  --json            the summary as JSON on standard output, the text on
                    standard error
  --summary-json F  the summary as JSON in a file
  --no-shrink       failing seeds are told as they are
  --seed N          one seed; with these what is left of it:
    --faults LIST     numbers of the faults that strike, or none
    --clients LIST    numbers of the clients that act
    --load-ms MS      milliseconds of load
    --trace           every event
`;
const NODES_MAX = 32;

export type Flags = ReturnType<typeof parse>;

/** Throws if the usage is wrong. */
export function readFlags(args: readonly string[]): Flags {
  const flags = parse(args);
  atLeast(flags, 1, 'seeds', 'nodes', 'workers');
  atLeast(flags, 0, 'seed', 'first', 'load-ms');
  if (flags.minutes !== undefined && !(Number(flags.minutes) > 0))
    throw new Error('--minutes takes a number above 0');
  if (Number(flags.nodes) > NODES_MAX) throw new Error(`--nodes takes at most ${NODES_MAX}`);
  if (flags.profile !== undefined && PROFILES[flags.profile] === undefined)
    throw new Error(`no profile ${flags.profile}; there are ${Object.keys(PROFILES).join(', ')}`);
  for (const name of ['faults', 'clients'] as const)
    if (flags[name] !== undefined && !/^(none|\d+(,\d+)*)$/.test(flags[name]))
      throw new Error(`--${name} takes numbers like 0,3,4, or none`);
  if (flags.seed === undefined) {
    const alone = (['faults', 'clients', 'load-ms'] as const).find((name) => flags[name] !== undefined);
    if (alone !== undefined || flags.trace) throw new Error(`--${alone ?? 'trace'} needs --seed`);
  } else {
    const many = (['seeds', 'minutes', 'first', 'workers'] as const).find(
      (name) => flags[name] !== undefined,
    );
    if (many !== undefined) throw new Error(`--${many} does not go with --seed`);
  }
  return flags;
}

function parse(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string' },
      first: { type: 'string' },
      minutes: { type: 'string' },
      nodes: { type: 'string' },
      profile: { type: 'string' },
      workers: { type: 'string' },
      faults: { type: 'string' },
      clients: { type: 'string' },
      'load-ms': { type: 'string' },
      trace: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      'summary-json': { type: 'string' },
      'no-shrink': { type: 'boolean', default: false },
      worker: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  return values;
}

type Whole = 'seed' | 'seeds' | 'first' | 'nodes' | 'workers' | 'load-ms';

function atLeast(flags: Readonly<Partial<Record<Whole, string>>>, least: number, ...names: Whole[]): void {
  for (const name of names) {
    const value = flags[name];
    if (value !== undefined && !(/^\d+$/.test(value) && Number(value) >= least))
      throw new Error(`--${name} takes a whole number from ${least} on`);
  }
}

/** Wraps words into lines of `width` characters, with a hanging indent. */
function wrapped(words: readonly string[], width: number, indent: number): string {
  const lines = [''];
  for (const word of words) {
    const last = lines.at(-1)!;
    if (last === '') lines[lines.length - 1] = word;
    else if (last.length + word.length + 2 <= width) lines[lines.length - 1] = `${last}, ${word}`;
    else {
      lines[lines.length - 1] = `${last},`;
      lines.push(word);
    }
  }
  return lines.join('\n' + ' '.repeat(indent));
}
