/**
 * Causeway and its peers in one run: those that are installed on this machine, alternating, each with what it
 * guarantees. The rows with targets are measures like those of the other parts; the whole is written as a report.
 */
import { compare } from './peers/comparison.ts';
import { wrapped } from '../src/base/wrapped.ts';
import { callUp } from './peers/roll-call.ts';
import { reportOf, writeReport } from './peers/report.ts';
import { leadLines } from './peers/report-markdown.ts';
import { measuresOf } from './peers/verdict.ts';
import { tellLine } from './progress.ts';
import { machineFacts } from './report.ts';
import type { Measure } from './report.ts';
import type { World } from './world.ts';

export async function peersPart(world: World): Promise<Measure[]> {
  const facts = machineFacts();
  const at = new Date().toISOString().slice(0, 19);
  const field = await callUp(world);
  const { contenders, skipped } = field;
  const tell = (text: string): void => {
    for (const line of wrapped('  ', text, 4)) world.tell(line);
  };
  for (const { name, reason } of skipped) tell(`skipped: ${name}: ${reason}`);
  const comparison = await compare(world, field);
  tellLine('');
  const head = { at, label: world.label, quick: world.quick, facts, contenders, skipped };
  const report = reportOf(head, comparison);
  for (const { work, beside, ratio } of report.rows) {
    if (ratio === undefined) tell(`not measured: ${work} / ${beside}`);
  }
  for (const line of leadLines(report)) tell(line.replaceAll('**', ''));
  if (skipped.length > 0) world.tell(`  ${skipped.length} skipped`);
  if (world.reportBase !== undefined) {
    for (const path of writeReport(`${world.reportBase}-peers`, report)) world.tell(`  ${path}`);
  }
  return measuresOf(report.rows);
}
