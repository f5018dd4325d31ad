/** The report for people at a terminal: 80 columns, with the verdict at the end. */
import { movesSeen, type Calm, type Uneasy } from './moves-seen.ts';
import type { Run } from './run-file.ts';
import { latenessOf } from './lateness.ts';
import { GROUPS, type Summary } from './summary.ts';

const WIDTH = 80;
const FAULTS_SHOWN_MAX = 20;

export function reportText(run: Run, summary: Summary, faults: readonly string[]): string {
  const { head } = run;
  const isPassed = faults.length === 0;
  return [
    `${head.scenario}: ${head.about}`,
    `${head.nodes.length} nodes, ${seconds(summary.lastsMs)} under load, seed ${head.seed}, ${head.startedAt}`,
    '',
    row('fault', ['struck', 'no write for', 'no read for']),
    ...summary.faults.map(({ fault, made, struck, writeStallMsMax, readStallMsMax }) =>
      row(fault, [`${struck} of ${made}`, seconds(writeStallMsMax), seconds(readStallMsMax)]),
    ),
    ...head.leftOut.flatMap(({ fault, why }) => wrapped(`left out: ${fault}: ${why}`, '  ')),
    '',
    row('operation', ['ok', 'definite', 'indefinite', 'stall', 'slowest'], NARROW),
    ...GROUPS.map((group) => {
      const { ok, definite, indefinite, stallMsMax, slowestMs } = summary.groups[group];
      return row(
        group,
        [count(ok), count(definite), count(indefinite), seconds(stallMsMax), seconds(slowestMs)],
        NARROW,
      );
    }),
    '',
    ...facts(run, summary).flatMap(([name, told]) => wrapped(`${name.padEnd(12)}${told}`, ' '.repeat(12))),
    '',
    ...faults.slice(0, FAULTS_SHOWN_MAX).flatMap((fault) => wrapped(`FAULT ${fault}`, '  ')),
    ...(faults.length > FAULTS_SHOWN_MAX ? [`and ${faults.length - FAULTS_SHOWN_MAX} more`] : []),
    `chaos ${head.scenario} ${isPassed ? 'passed' : 'failed'}`,
    '',
  ]
    .flatMap((line) => line.split('\n'))
    .join('\n');
}

/** Also used for the page. */
export function facts(run: Run, summary: Summary): [string, string][] {
  const { head, progress, survey } = run;
  const { succeeded, acknowledged, definite, indefinite, retried, codes } = summary;
  const byCode = Object.entries(codes).sort(([, a], [, b]) => b - a);
  const failed = byCode.map(([code, times]) => `${code} ${count(times)}`).join(', ');
  return [
    ['operations', `${count(succeeded)} succeeded, ${count(acknowledged)} of them acknowledged writes`],
    [
      'failures',
      `${count(definite)} definite, ${count(indefinite)} indefinite` +
        (retried > 0 ? `, ${count(retried)} definite ones tried again` : '') +
        (failed === '' ? '' : ` (${failed})`),
    ],
    ['epochs', `${summary.epochFirst ?? '?'} at the beginning, ${summary.epochLast ?? '?'} at the end`],
    ...(head.wires === undefined ? [] : [['wires', head.wires] satisfies [string, string]]),
    ...lateness(run),
    ...moves(run),
    ...loads(run),
    [
      'processes',
      summary.endings === 0
        ? 'none ended that nobody had asked to'
        : `${summary.endings} ended by themselves${head.mayEnd ? ', as they may here' : ''}`,
    ],
    [
      'progress',
      progress === null
        ? 'not looked at'
        : progress.is === 'progress'
          ? `complete again, writing at every node, ${seconds(progress.afterMs)} after the last fault`
          : `none: ${progress.why}`,
    ],
    [
      'looked up',
      survey === null
        ? 'nothing'
        : `${count(summary.keys)} keys at every node, ${count(summary.rows)} rows of PostgreSQL`,
    ],
  ];
}

function lateness(run: Run): [string, string][] {
  const { steady } = run.head;
  if (steady === undefined) return [];
  const { normalMs, during } = latenessOf(run, steady.afterMs);
  const shown = (ms: number | null): string => (ms === null ? '?' : `${ms.toFixed(0)} ms`);
  const told = during.map(({ fault, p99Ms }) => `${fault} ${shown(p99Ms)}`).join(', ');
  return [['slowest 1 %', `usually ${shown(normalMs)}; once a fault has lasted: ${told}`]];
}

function moves(run: Run): [string, string][] {
  const ms = (value: number | null): string => (value === null ? '?' : value.toFixed(value < 10 ? 1 : 0));
  const all = (of: Calm | Uneasy): string => `${ms(of.p50Ms)}/${ms(of.p99Ms)}`;
  return movesSeen(run).map(({ named, tookMs, factor, records, perSecond, before, during, after }) => [
    `${named}`,
    `${seconds(tookMs)}, ${count(records)} records copied, ${factor.toFixed(2)} of the least possible, ` +
      `at ${count(Math.round(perSecond.records))} records/s, ${(perSecond.bytes / 1e6).toFixed(1)} MB/s; ` +
      `median/p99 ${all(before)} ms before, ${all(during)} during, ${all(after)} after; ` +
      `longest without a write ${seconds(during.stallMs)}`,
  ]);
}

/** The result of sending more requests than can be handled, and of not reading. */
function loads({ floods, unread }: Run): [string, string][] {
  const rate = (perSecond: number): string => `${count(Math.round(perSecond))}/s`;
  return [
    ...floods.map((each): [string, string] => [
      'flood',
      `${rate(each.askedPerSecond)} asked where ${rate(each.capacityPerSecond)} get done: ${rate(each.donePerSecond)} done ` +
        `(median ${seconds(each.doneP50Ms)}, p99 ${seconds(each.doneP99Ms)}), ${rate(each.refusedPerSecond)} refused ` +
        `(median ${seconds(each.refusedP50Ms)}, p99 ${seconds(each.refusedP99Ms)}), ${count(each.failed)} failed otherwise, ${count(each.unsent)} not even sent; ` +
        `nothing refused ${seconds(each.recoveredMs)} after it fell; ${count(each.lost)} of ${count(each.lookedUp)} lost`,
    ]),
    ...unread.map(({ clients, refused, grownBytes }): [string, string] => [
      'not read',
      `${clients} clients of each node: ${count(refused)} of their calls refused, a node grew by ` +
        `${Math.round(grownBytes / 1024 / 1024)} MB at most`,
    ]),
  ];
}

export function seconds(ms: number): string {
  return ms < 60_000
    ? `${(ms / 1_000).toFixed(2)} s`
    : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
}

export function count(number: number): string {
  return number === 0 ? '-' : number.toLocaleString('en-US');
}

const WIDE = 15;
const NARROW = 12;

function row(name: string, cells: readonly string[], width = WIDE): string {
  return `  ${name.padEnd(WIDTH - 2 - cells.length * width).slice(0, WIDTH - 2 - cells.length * width)}${cells
    .map((cell) => cell.padStart(width))
    .join('')}`;
}

/** Between words or, if a word is longer than a line, within it. Line breaks are kept. */
function wrapped(text: string, indent: string): string[] {
  return text.split('\n').flatMap((part, at) => {
    const lines: string[] = [];
    let line = at === 0 ? '' : indent;
    let isEmpty = true;
    for (const word of part.split(' ')) {
      if (!isEmpty && line.length + 1 + word.length > WIDTH) {
        lines.push(line);
        [line, isEmpty] = [indent, true];
      }
      line += isEmpty ? word : ` ${word}`;
      isEmpty = false;
      while (line.length > WIDTH) {
        lines.push(line.slice(0, WIDTH));
        line = indent + line.slice(WIDTH);
      }
    }
    return [...lines, line];
  });
}
