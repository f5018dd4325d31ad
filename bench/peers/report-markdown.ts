/** The comparison as text: targets first, then where peers are ahead, what each system guarantees, and every workload. */
import { headLines, shown } from '../report.ts';
import { median } from '../statistics.ts';
import { titleOf } from './cells.ts';
import type { CellResult, OpenResult } from './comparison.ts';
import type { Contender } from './contender.ts';
import { ratioOf, ratioText, twoDigits } from './ratio.ts';
import type { Report } from './report.ts';
import type { Sample } from './samples.ts';
import { KEEPS_UP_SHARE } from './verdict.ts';
import type { Row } from './verdict.ts';

export function reportMarkdown(report: Report): string {
  const { comparison, contenders, skipped, facts, label } = report;
  return [
    '# Causeway beside its peers',
    [
      headLines(facts),
      label,
      `One run, ${report.at}${report.quick ? ', short: to see that all is well, not to compare' : ''}.`,
    ]
      .filter((text) => text !== '')
      .join('\n'),
    howToRead(report),
    ...skipped.map(({ name, reason }) => `**Left out: ${name}**: ${reason}.`),
    '## What was asked for',
    targetTable(report.rows),
    '## Where peers are ahead',
    leadLines(report).join('\n'),
    '## What each promises',
    table(
      ['system', 'an acknowledged write is', 'disks', 'bytes on disk'],
      contenders.map(({ id, system }) => [
        ...[system.name, system.promise, String(system.disks)],
        megabytes(comparison.diskBytes.get(id)!),
      ]),
    ),
    ...part(
      '## Workloads',
      comparison.cells.map((cell) => cellSection(cell, contenders)),
    ),
    ...part(
      '## At a steady rate\n\nOperations come at the rate that is told, whatever is answered; a time counts from the moment at which an operation was due.',
      comparison.open.map((open) => openSection(open, contenders)),
    ),
    '',
  ].join('\n\n');
}

export function howToRead({ comparison }: Report): string {
  const repeats = comparison.cells[0]?.samples.get('causeway')?.length;
  const often = repeats === undefined ? 'several' : String(repeats);
  return `Each workload ran ${often} times on each system, by turns. A ratio is the median of these pairs, and the interval in which all of them lie. \
Load comes from one process of its own for each system, on the same cores; what it costs stands beside what the servers cost (of the write-through \
written by hand the client is a part of the system). Values of 100 bytes and 1 KiB have 10,000 keys each, values of 16 KiB 1,000; bytes on disk are those \
of all values written once, with logs.`;
}

/** Empty if none of its workloads was run. */
function part(head: string, sections: readonly string[]): readonly string[] {
  return sections.length === 0 ? [] : [head, ...sections];
}

export function megabytes(bytes: number): string {
  return `${shown(bytes / 1024 ** 2)} MB`;
}

export function stateOf({ ratio, target }: Row): 'met' | 'missed' | 'not measured' {
  if (ratio === undefined) return 'not measured';
  return ('atLeast' in target ? ratio.median >= target.atLeast : ratio.median <= target.atMost)
    ? 'met'
    : 'missed';
}

export function wantedOf({ target, aim }: Row): string {
  const bound = 'atLeast' in target ? `at least ${target.atLeast}` : `at most ${target.atMost}`;
  return aim === null ? bound : `${bound}, aim ${aim}`;
}

function targetTable(rows: readonly Row[]): string {
  return table(
    ['work', 'beside', 'ratio', 'asked for', '', 'seen'],
    rows.map((row) => [
      ...[row.work, row.beside, row.ratio === undefined ? '' : ratioText(row.ratio), wantedOf(row)],
      ...[stateOf(row), row.figures],
    ]),
  );
}

export function leadLines({ leads }: Report): string[] {
  return leads.map(({ peer, ahead, of, reads, writes }) => {
    const sorts = { reads, writes };
    const told = Object.entries(sorts).flatMap(([sort, times]) =>
      times === undefined ? [] : [`${sort} ${twoDigits(times)}`],
    );
    const rates = `${told.join(' and ')} times Causeway's rate`;
    const [most] = ahead;
    if (most === undefined) return `- ${peer}: behind in all ${of} workloads (${rates}).`;
    return `- **${peer}: ahead in ${ahead.length} of ${of} workloads** (${rates}), most in "${most.title}": ${ratioText(most.ratio)} times.`;
  });
}

function cellSection({ cell, samples }: CellResult, contenders: readonly Contender[]): string {
  const ours = samples.get('causeway')!.map(({ rate }) => rate);
  const rows = contenders.flatMap(({ id, system }) => {
    const own = samples.get(id);
    if (own === undefined) return [];
    const rates = own.map(({ rate }) => rate);
    const ratio = id === 'causeway' ? undefined : ratioOf(rates, ours);
    const of = (field: (sample: Sample) => number): number => median(own.map(field));
    const row = [
      ...[system.name, shown(of(({ rate }) => rate)), ratio === undefined ? '' : ratioText(ratio)],
      ...timesOf(own),
      ...[micros(of(({ serverMicros }) => serverMicros)), micros(of(({ clientMicros }) => clientMicros))],
      failuresOf(own),
    ];
    return [row];
  });
  const heads = [
    '',
    'per second',
    'of Causeway',
    'p50 ms',
    'p99 ms',
    'p99.9 ms',
    'servers µs',
    'client µs',
    'failed',
  ];
  return `### ${titleOf(cell)}\n\n${table(heads, rows)}`;
}

function openSection(
  { of, perSecond, share, samples }: OpenResult,
  contenders: readonly Contender[],
): string {
  const rows = contenders.map(({ id, system }) => {
    const own = samples.get(id)!;
    const rate = median(own.map((sample) => sample.rate));
    const keepsUp = rate >= KEEPS_UP_SHARE * perSecond;
    return [
      ...[system.name, keepsUp ? '' : `does not keep up: ${shown(rate)} a second`],
      ...timesOf(own),
      ...[shown(median(own.map(({ lateMs }) => lateMs))), failuresOf(own)],
    ];
  });
  const heads = ['', '', 'p50 ms', 'p99 ms', 'p99.9 ms', 'generator late, p99 ms', 'failed'];
  return `### ${shown(perSecond)} ${of} a second, ${share * 100} % of Causeway's top rate\n\n${table(heads, rows)}`;
}

function timesOf(samples: readonly Sample[]): string[] {
  return [
    ...[samples.map(({ p50 }) => p50), samples.map(({ p99 }) => p99), samples.map(({ p999 }) => p999)],
  ].map((times) => shown(median(times)));
}

function micros(value: number): string {
  return Number.isNaN(value) ? 'not told' : shown(value);
}

function failuresOf(samples: readonly Sample[]): string {
  const failed = samples.reduce((sum, sample) => sum + sample.failed, 0);
  return failed === 0 ? '' : `${failed}: ${samples.find(({ fault }) => fault !== '')?.fault ?? ''}`;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '/')).join(' | ')} |`;
  return [line(heads), `|${heads.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}
