/**
 * The comparison as one self-contained page: targets, where peers are ahead, plots and guarantees, in light and dark
 * mode.
 */
import { PAGE_STYLE } from '../../verify/chaos/report-style.ts';
import { escape } from '../../verify/chaos/timeline.ts';
import { headLines } from '../report.ts';
import { median } from '../statistics.ts';
import { mixOf, shapeOf, sizeOf } from './cells.ts';
import type { Cell } from './cells.ts';
import { barChart, COLOURS, targetChart } from './charts.ts';
import type { Series } from './charts.ts';
import type { CellResult, OpenResult } from './comparison.ts';
import { howToRead, leadLines, megabytes, stateOf, wantedOf } from './report-markdown.ts';
import { ratioText } from './ratio.ts';
import type { Report } from './report.ts';
import type { Sample } from './samples.ts';
import type { Row } from './verdict.ts';

const STYLE = `
section:has(>.legend:only-child){position:sticky;top:0;z-index:1;padding:10px 18px}.legend{margin:0;gap:4px 20px}
.chart{overflow-x:auto}.chart>svg{display:block;width:100%;min-width:760px;height:auto}
.met{color:var(--good);font-weight:600}.missed-row{color:var(--bad);font-weight:600}
td.wrap{white-space:normal;text-align:left}`;

/** Groups of workloads that differ in one parameter. */
const FAMILIES: readonly { title: string; ids: readonly string[]; name: (cell: Cell) => string }[] = [
  { title: 'by mix (100 B, 50 clients)', ids: ['get', 'mix-95', 'mix-50', 'set'], name: mixOf },
  {
    title: 'of GET alone, by concurrency (100 B)',
    ids: ['get-1', 'get', 'get-512', 'get-50x16'],
    name: shapeOf,
  },
  {
    title: 'of SET alone, by concurrency (100 B)',
    ids: ['set-1', 'set', 'set-512', 'set-32x16'],
    name: shapeOf,
  },
  {
    title: 'of SET alone, 512 in flight, by client (100 B)',
    ids: ['set-512', 'set-512-program', 'set-512-plain-program'],
    name: (cell) => shapeOf(cell).replaceAll(', ', '\n'),
  },
  {
    title: 'of mixes, by keys and values (50 clients)',
    ids: ['mix-95-zipf', 'mix-50-zipf', 'mix-95-1k', 'mix-50-1k', 'mix-95-16k', 'mix-50-16k'],
    name: (cell) => `${mixOf(cell)}\n${sizeOf(cell)}${cell.spread === 'zipf' ? ', Zipf' : ''}`,
  },
];

export function reportHtml(report: Report): string {
  const { facts, label, at, quick } = report;
  const about = [headLines(facts).replaceAll('\n', ' '), label].filter((text) => text !== '').join('; ');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Causeway beside its peers</title><style>${PAGE_STYLE}${STYLE}</style></head><body><main>
<header><h1>Causeway beside its peers</h1><p>${escape(about)}</p>
<p class="muted">${escape(at)}${quick ? '; short: to see that all is well, not to compare' : ''}</p><p class="muted">${escape(howToRead(report))}</p></header>
${skippedList(report)}
${targets(report.rows)}
<section><h2>Where peers are ahead</h2><ul>${leads(report)}</ul></section>
${promises(report)}
<section><div class="legend">${legend(report)}</div></section>
${FAMILIES.map((family) => familySection(report, family)).join('\n')}
${serverSection(report)}
${report.comparison.open.map((open) => openSection(report, open)).join('\n')}
</main></body></html>
`;
}

function skippedList({ skipped }: Report): string {
  if (skipped.length === 0) return '';
  const items = skipped.map(({ name, reason }) => `<li>${escape(`${name}: ${reason}`)}</li>`);
  return `<section><h2>Left out</h2><ul>${items.join('')}</ul></section>`;
}

function targets(rows: readonly Row[]): string {
  const spans = rows.flatMap((row) => {
    if (row.ratio === undefined) return [];
    const target = 'atLeast' in row.target ? row.target.atLeast : row.target.atMost;
    const name = `${row.work} / ${row.beside}${'atMost' in row.target ? ' (less is better)' : ''}`;
    return [{ name, ratio: row.ratio, target, isMet: stateOf(row) === 'met' }];
  });
  const lines = rows.map((row) => {
    const state = stateOf(row);
    const mark = state === 'met' ? 'met' : state === 'missed' ? 'missed-row' : 'muted';
    const told = row.ratio === undefined ? '' : ratioText(row.ratio);
    return `<tr><td class="wrap">${escape(row.work)}</td><td class="wrap">${escape(row.beside)}</td><td>${told}</td><td>${wantedOf(row)}</td><td class="${mark}">${state}</td><td>${escape(row.figures)}</td></tr>`;
  });
  const chart = spans.length === 0 ? '' : `<div class="chart">${targetChart(spans)}</div>`;
  return `<section><h2>What was asked for</h2>${chart}
<table><thead><tr><th class="text">work</th><th class="text">beside</th><th>ratio</th><th>asked for</th><th></th><th>seen</th></tr></thead><tbody>${lines.join('')}</tbody></table></section>`;
}

function leads(report: Report): string {
  return leadLines(report)
    .map((line) => escape(line.slice(2)).replace(/\*\*(.+?)\*\*/, '<b>$1</b>'))
    .map((line) => `<li>${line}</li>`)
    .join('');
}

function promises({ contenders, comparison }: Report): string {
  const rows = contenders.map(
    ({ id, system }) =>
      `<tr><td class="text">${escape(system.name)}</td><td class="wrap">${escape(system.promise)}</td><td>${system.disks}</td><td>${megabytes(comparison.diskBytes.get(id)!)}</td></tr>`,
  );
  return `<section><h2>What each promises</h2><table><thead><tr><th class="text">system</th><th class="text">an acknowledged write is</th><th>disks</th><th>bytes on disk</th></tr></thead><tbody>${rows.join('')}</tbody></table></section>`;
}

function familySection(report: Report, { title, ids, name }: (typeof FAMILIES)[number]): string {
  const cells = ids.flatMap((id) => report.comparison.cells.filter(({ cell }) => cell.id === id));
  if (cells.length < 2) return '';
  const categories = cells.map(({ cell }) => name(cell));
  const plot = (field: (sample: Sample) => number, unit: string): string =>
    barChart(categories, seriesOf(report, cells, field), unit);
  return `<section><h2>Operations per second ${escape(title)}</h2><div class="chart">${plot(({ rate }) => rate, 'per second')}</div>
<details><summary>99th of 100, milliseconds</summary><div class="chart">${plot(({ p99 }) => p99, 'ms')}</div></details></section>`;
}

function serverSection(report: Report): string {
  const cells = report.comparison.cells.filter(({ cell }) => ['get', 'mix-95', 'set-512'].includes(cell.id));
  if (cells.length === 0) return '';
  const categories = cells.map(({ cell }) => `${mixOf(cell)}, ${shapeOf(cell)}`);
  const series = seriesOf(report, cells, ({ serverMicros }) => serverMicros);
  return `<section><h2>Microseconds on a core per operation, of all servers together (100 B)</h2><div class="chart">${barChart(categories, series, 'µs')}</div></section>`;
}

function openSection(report: Report, { of, perSecond, share, samples }: OpenResult): string {
  const fields: [string, (sample: Sample) => number][] = [
    ['50 of 100', ({ p50 }) => p50],
    ['99 of 100', ({ p99 }) => p99],
    ['999 of 1,000', ({ p999 }) => p999],
  ];
  const series = report.contenders.map(({ id, system }, at) => ({
    ...{ name: system.name, colour: COLOURS[at]! },
    values: fields.map(([, field]) => valueOf(samples.get(id)!, field)),
  }));
  const title = `Latency at a steady ${perSecond.toLocaleString('en-US')} ${of} a second (${share * 100} % of Causeway's top rate), from the moment at which each was due`;
  const names = fields.map(([name]) => name);
  return `<section><h2>${title}</h2><div class="chart">${barChart(names, series, 'ms')}</div></section>`;
}

function legend({ contenders }: Report): string {
  return contenders
    .map(
      ({ system }, at) =>
        `<span><svg viewBox="0 0 12 12"><rect fill="${COLOURS[at]}" x="1" y="1" width="10" height="10" rx="2"/></svg>${escape(system.name)}</span>`,
    )
    .join('');
}

function seriesOf(
  { contenders }: Report,
  cells: readonly CellResult[],
  field: (sample: Sample) => number,
): Series[] {
  return contenders.map(({ id, system }, at) => ({
    ...{ name: system.name, colour: COLOURS[at]! },
    values: cells.map(({ samples }) => valueOf(samples.get(id) ?? [], field)),
  }));
}

/** A logarithmic axis cannot show zero. */
function valueOf(samples: readonly Sample[], field: (sample: Sample) => number): number | null {
  const value = median(samples.map(field));
  return value > 0 ? value : null;
}
