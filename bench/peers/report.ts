/** All results of the comparison for the reports, and where they are written. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { MachineFacts } from '../report.ts';
import type { Comparison } from './comparison.ts';
import type { Contender, Skipped } from './contender.ts';
import { leadsOf } from './leads.ts';
import type { Lead } from './leads.ts';
import { reportHtml } from './report-html.ts';
import { reportMarkdown } from './report-markdown.ts';
import { verdict } from './verdict.ts';
import type { Row } from './verdict.ts';

export interface Report {
  readonly at: string;
  readonly label: string;
  readonly quick: boolean;
  readonly facts: MachineFacts;
  readonly contenders: readonly Contender[];
  readonly skipped: readonly Skipped[];
  readonly comparison: Comparison;
  readonly rows: readonly Row[];
  readonly leads: readonly Lead[];
}

export function reportOf(
  head: Pick<Report, 'at' | 'label' | 'quick' | 'facts' | 'contenders' | 'skipped'>,
  comparison: Comparison,
): Report {
  return { ...head, comparison, rows: verdict(comparison), leads: leadsOf(comparison, head.contenders) };
}

/** Writes `BASE.json`, `BASE.md` and `BASE.html`; returns the paths. */
export function writeReport(base: string, report: Report): string[] {
  mkdirSync(dirname(base), { recursive: true });
  const texts = { json: reportJson(report), md: reportMarkdown(report), html: reportHtml(report) };
  return Object.entries(texts).map(([kind, text]) => {
    const path = `${base}.${kind}`;
    writeFileSync(path, text);
    return path;
  });
}

function reportJson({ comparison, contenders, ...rest }: Report): string {
  const { cells, open, tool, grpc, diskBytes } = comparison;
  const told = {
    ...rest,
    systems: contenders.map(({ system: { id, name, promise, disks } }) => ({
      ...{ id, name, promise, disks },
      diskBytes: diskBytes.get(id),
    })),
    cells: cells.map(({ cell, samples }) => ({ ...cell, samples: Object.fromEntries(samples) })),
    open: open.map(({ samples, ...one }) => ({ ...one, samples: Object.fromEntries(samples) })),
    redisBenchmark: tool.map(({ pipeline, rates }) => ({
      pipeline,
      rates: Object.fromEntries(rates.map(([{ id }, found]) => [id, found])),
    })),
    grpc,
  };
  return `${JSON.stringify(told, null, 1)}\n`;
}
