/** The report as one self-contained page: the verdict, the picture of the run and the tables, in light and dark mode. */
import { count, facts, seconds } from './report-text.ts';
import { PAGE_STYLE } from './report-style.ts';
import type { Run } from './run-file.ts';
import { GROUPS, type Summary } from './summary.ts';
import { escape, familyOf, timelineSvg } from './timeline.ts';

const FAULTS_SHOWN_MAX = 50;

export function reportHtml(run: Run, summary: Summary, faults: readonly string[]): string {
  const { head } = run;
  const verdict = faults.length === 0 ? 'passed' : 'failed';
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>chaos ${escape(head.scenario)}: ${verdict}</title><style>${PAGE_STYLE}</style></head><body><main>
<header><h1>chaos ${escape(head.scenario)} <span class="verdict ${verdict}">${verdict}</span></h1>
<p>${escape(head.about)}</p>
<p class="muted">${head.nodes.length} nodes, ${seconds(summary.lastsMs)} under load, seed ${head.seed}, ${escape(head.startedAt)}</p></header>
${broken(faults)}
${tiles(summary)}
<section class="picture"><div class="legend">${legend()}</div>${timelineSvg(run, summary)}</section>
<div class="columns">${operationTable(summary)}${factList(run, summary)}</div>
${faultTable(run, summary)}
${leftOut(run)}
${injections(run)}
</main></body></html>
`;
}

function broken(faults: readonly string[]): string {
  if (faults.length === 0) return '';
  const shown = faults.slice(0, FAULTS_SHOWN_MAX).map((fault) => `<li><pre>${escape(fault)}</pre></li>`);
  const more = faults.length - FAULTS_SHOWN_MAX;
  return `<section class="broken"><h2>What did not hold</h2><ul>${shown.join('')}</ul>${more > 0 ? `<p>and ${more} more</p>` : ''}</section>`;
}

function tiles(summary: Summary): string {
  const { groups, faults, recoveredMs } = summary;
  const struck = faults.reduce((sum, one) => sum + one.struck, 0);
  const made = faults.reduce((sum, one) => sum + one.made, 0);
  const stallMsMax = Math.max(0, ...summary.stalls.map(({ fromMs, toMs }) => toMs - fromMs));
  const all: [string, string][] = [
    ['operations that succeeded', count(summary.succeeded)],
    ['acknowledged writes', count(summary.acknowledged)],
    ['definite failures', count(summary.definite)],
    ['indefinite failures', count(summary.indefinite)],
    ['faults that struck', `${struck} of ${made}`],
    ['longest without a write', seconds(stallMsMax)],
    ['longest without a read', seconds(groups.read.stallMsMax)],
    ['until all was well again', recoveredMs === null ? 'never' : seconds(recoveredMs)],
  ];
  const each = all.map(([name, value]) => `<div class="tile"><b>${value}</b><span>${name}</span></div>`);
  return `<section class="tiles">${each.join('')}</section>`;
}

function legend(): string {
  const entries: [string, string][] = [
    ['fill-process', 'process'],
    ['fill-network', 'network'],
    ['fill-postgres', 'PostgreSQL'],
    ['fill-legacy', 'legacy'],
    ['fill-machine', 'machine'],
    ['missed', 'did not strike'],
    ['fill-ok', 'succeeded'],
    ['fill-definite', 'failed for certain'],
    ['fill-indefinite', 'outcome unknown'],
    ['stall', 'no write'],
    ['stroke-p50', 'median'],
    ['stroke-p99', '99th of 100'],
    ['node-serving', 'serving'],
    ['node-leaseless', 'without lease'],
    ['node-learning', 'learning'],
    ['node-entering', 'entering'],
    ['node-silent', 'no answer'],
  ];
  return entries
    .map(
      ([kind, name]) =>
        `<span><svg viewBox="0 0 12 12"><rect class="${kind}" x="1" y="1" width="10" height="10" rx="2"/></svg>${name}</span>`,
    )
    .join('');
}

function operationTable({ groups }: Summary): string {
  const rows = GROUPS.map((group) => {
    const { ok, definite, indefinite, stallMsMax, slowestMs } = groups[group];
    return cells(group, [
      count(ok),
      count(definite),
      count(indefinite),
      seconds(stallMsMax),
      seconds(slowestMs),
    ]);
  });
  return table('Operations', ['', 'ok', 'definite', 'indefinite', 'longest stall', 'slowest'], rows);
}

function factList(run: Run, summary: Summary): string {
  const rows = facts(run, summary).map(([name, told]) => `<dt>${name}</dt><dd>${escape(told)}</dd>`);
  return `<section><h2>What was seen</h2><dl>${rows.join('')}</dl></section>`;
}

function faultTable({ head }: Run, { faults }: Summary): string {
  const rows = faults.map(({ fault, made, struck, writeStallMsMax, readStallMsMax }) =>
    cells(`<i class="dot dot-${familyOf(fault)}"></i>${escape(fault)}`, [
      `${struck} of ${made}`,
      seconds(writeStallMsMax),
      seconds(readStallMsMax),
    ]),
  );
  const title = `Faults asked for: ${head.asked.length} kinds`;
  return table(title, ['', 'struck', 'no write for', 'no read for'], rows);
}

function leftOut({ head }: Run): string {
  if (head.leftOut.length === 0) return '';
  const rows = head.leftOut.map(({ fault, why }) => `<li>${escape(fault)}: ${escape(why)}</li>`);
  return `<section><h2>Left out on this machine</h2><ul>${rows.join('')}</ul></section>`;
}

function injections({ faults }: Run): string {
  const rows = faults.map(
    ({ fromMs, toMs, told, struck }) =>
      `<tr><td>${(fromMs / 1_000).toFixed(1)} s</td><td>${seconds(toMs - fromMs)}</td><td class="text">${escape(told)}${struck ? '' : ' (did not strike)'}</td></tr>`,
  );
  return `<section><details><summary>All ${faults.length} injections</summary><table><thead><tr><th>at</th><th>for</th><th class="text">what</th></tr></thead><tbody>${rows.join('')}</tbody></table></details></section>`;
}

function table(title: string, heads: readonly string[], rows: readonly string[]): string {
  const [first, ...others] = heads;
  return `<section><h2>${title}</h2><table><thead><tr><th class="text">${first}</th>${others.map((head) => `<th>${head}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></section>`;
}

function cells(name: string, values: readonly string[]): string {
  return `<tr><td class="text">${name}</td>${values.map((value) => `<td>${value}</td>`).join('')}</tr>`;
}
