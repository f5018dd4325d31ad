/** Figures and reports of a recorded run: what they count, and that they fit where they are shown. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { reportHtml } from '../../verify/chaos/report-html.ts';
import { reportText } from '../../verify/chaos/report-text.ts';
import { readRun, RunWriter, type Run } from '../../verify/chaos/run-file.ts';
import { summaryOf } from '../../verify/chaos/summary.ts';
import { FLOODED, goodLines, operation } from './chaos-run-of.ts';

const UNREAD = { is: 'unread', atMs: 1_550, clients: 2, refused: 80, grownBytes: 90 * 1024 * 1024 } as const;

let folder: string;
let run: Run;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'causeway-report-'));
  const path = join(folder, 'history.ndjson');
  const writer = new RunWriter(path);
  const lost = operation(5, { kind: 'put', value: 'x' }, { kind: 'indefinite' });
  for (const line of [...goodLines().slice(0, -1), lost, FLOODED, UNREAD, goodLines().at(-1)!])
    writer.write(line);
  await writer.close();
  run = await readRun(path);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('figures: operations by outcome, stalls where they were, each fault with its own', () => {
  const summary = summaryOf(run);
  expect(summary).toMatchObject({
    succeeded: 3,
    acknowledged: 2,
    indefinite: 1,
    definite: 0,
    recoveredMs: 150,
  });
  expect(summary.groups.write).toMatchObject({ ok: 2, indefinite: 1 });
  // The last write was acknowledged at 305 ms, and clients went on until 1,505 ms.
  expect(summary.stalls).toEqual([{ fromMs: 305, toMs: 1_505 }]);
  expect(summary.faults.find(({ fault }) => fault === 'cut one')).toMatchObject({
    ...{ made: 1, struck: 1, writeStallMsMax: 1_200 },
  });
  expect([summary.epochFirst, summary.epochLast]).toEqual([1, 4]);
});

test('the text: at most 80 columns, whatever it has to tell; the verdict is the last line', () => {
  const long = `a: violation: ${'no single copy could have answered '.repeat(5)}\n  ${'x'.repeat(200)}`;
  for (const faults of [[], [long]]) {
    const lines = reportText(run, summaryOf(run), faults).trimEnd().split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines.at(-1)).toBe(`chaos example ${faults.length === 0 ? 'passed' : 'failed'}`);
  }
  const told = reportText(run, summaryOf(run), []).replace(/\s+/g, ' ');
  expect(told).toContain(
    'flood 15,000/s asked where 5,000/s get done: 4,900/s done (median 0.18 s, p99 0.42 s)',
  );
  expect(told).toContain('not read 2 clients of each node: 80 of their calls refused, a node grew by 90 MB');
  expect(reportText(run, summaryOf(run), [])).toContain(
    'left out: disk-full: mounting small disks needs root',
  );
});

test('the page: needs nothing from elsewhere, and what nodes and scenarios say is text in it', () => {
  const page = reportHtml(run, summaryOf(run), ['a < b']);
  expect(page).not.toMatch(/(src|href)=|url\(|@import/);
  expect(page).toContain('node-1 killed &lt;hard&gt;');
  expect(page).toContain('a &lt; b');
  expect(page).not.toContain('<hard>');
  expect(page).not.toMatch(/NaN|Infinity|undefined/);
});
