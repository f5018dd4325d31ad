/**
 * `npm run scale`: the cost of a cluster's size, as tables; with `--write` they replace those in `docs/SCALE.md`.
 *
 * Exit code: 0 done; 2 wrong usage.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { membershipAt, membershipTable, placementAt, placementTable } from './scale.ts';

const HELP = `npm run scale -- [options]
  --placement LIST   sizes of clusters whose slots are shared out
  --members LIST     sizes of clusters whose members talk, simulated: 300 take minutes
  --write            into docs/SCALE.md
`;
const PAGE = 'docs/SCALE.md';

const flags = readFlags();
if (flags.help) process.stdout.write(HELP);
else run();

function readFlags() {
  try {
    const { values } = parseArgs({
      options: {
        placement: { type: 'string', default: '3,5,10,30,100,300,1000' },
        members: { type: 'string', default: '3,5,10,30,100' },
        write: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    for (const list of [values.placement, values.members])
      if (!sizesOf(list).every((size) => Number.isInteger(size) && size >= 3))
        throw new Error('sizes are whole numbers from 3 on');
    return values;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${HELP}`);
    process.exit(2);
  }
}

function sizesOf(list: string): number[] {
  return list.split(',').map(Number);
}

function run(): void {
  const placement = placementTable(sizesOf(flags.placement).map((size) => placementAt(size)));
  process.stdout.write(placement + '\n');
  const membership = membershipTable(sizesOf(flags.members).map((size) => membershipAt(size)));
  process.stdout.write(membership);
  if (!flags.write) return;
  const page = readFileSync(PAGE, 'utf8');
  writeFileSync(PAGE, put(put(page, 'placement', placement), 'membership', membership));
}

/** Replaces the table between the two markers of that name. */
function put(page: string, name: string, table: string): string {
  const [begin, end] = [`<!-- ${name}: begin -->\n`, `<!-- ${name}: end -->`];
  const at = page.indexOf(begin);
  const until = page.indexOf(end);
  if (at < 0 || until < at) throw new Error(`${PAGE} has no place for the table of ${name}`);
  return page.slice(0, at + begin.length) + '\n' + table + '\n' + page.slice(until);
}
