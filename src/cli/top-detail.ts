/** The details of one node in `causeway top`: where its time goes, and what it depends on. */
import { bytesText, countText, lagWithUnit } from './figures.ts';
import { printable } from './table.ts';
import { pairText } from './top-columns.ts';
import { copyLine } from './top-copy.ts';
import type { Pair, TopModel, TopNode } from './top-model.ts';
import { cut, trendText } from './top-text.ts';
import type { Palette } from './top-text.ts';

const LABEL = 16;
const TREND_WIDTH_MAX = 60;

export function detailLines(node: TopNode, model: TopModel, columns: number, palette: Palette): string[] {
  const line = (label: string, text: string): string =>
    cut(` ${label.padEnd(LABEL)}${printable(text)}`, columns);
  const title = palette.bold(cut(` ${printable(node.name)}  ${node.address}`, columns));
  const remarks = model.remarks.filter((text) => text.startsWith(`${node.name}: `));
  const warned = remarks.map((text) => palette.warn(cut(` ${printable(text)}`, columns)));
  if (node.fault !== '')
    return [
      title,
      line('state', 'does not answer'),
      palette.bad(cut(` ${printable(node.fault)}`, columns)),
      ...warned,
    ];
  const { state, leaseLeftMs, epoch, slots, keysHeld, keysInFlight } = node;
  const width = Math.min(TREND_WIDTH_MAX, columns - LABEL - 2);
  const stages = Object.entries(node.stagesMs).filter((entry): entry is [string, Pair] => entry[1] !== null);
  const hits = node.cacheHitShare;
  return [
    title,
    line('state', `${state}, lease for ${leaseLeftMs} ms, epoch ${epoch}, up for ${ageText(node.uptimeMs)}`),
    line(
      'holds',
      `${countText(keysHeld)} keys in ${countText(slots)} slots, ${countText(keysInFlight)} in flight`,
    ),
    line(
      'process',
      `${Math.round(node.cpuShare * 100)} % of a core, ${bytesText(node.residentBytes)}, late by ${timesText(node.loopMs)}`,
    ),
    '',
    line(
      'reads',
      `${countText(node.readsPerSecond)}/s  ${timesText(node.readMs)}${hits === null ? '' : `  ${Math.round(hits * 100)} % from memory`}`,
    ),
    line('writes', `${countText(node.writesPerSecond)}/s  ${timesText(node.writeMs)}`),
    ...stages.map(([stage, pair]) => line(`  ${STAGE_WORDS[stage] ?? stage}`, timesText(pair))),
    line('failures', `${countText(node.failuresPerSecond)}/s, refused ${countText(node.refusedPerSecond)}/s`),
    line('trend', trendText(node.trend, width, palette.isUnicode)),
    '',
    line('store', `a sync ${timesText(node.syncMs)}`),
    line(
      'PostgreSQL',
      `${node.postgres}, a commit ${timesText(node.commitMs)}, ${countText(node.rowsPerSecond)} rows/s`,
    ),
    line('', `${countText(node.rowsWaiting)} rows wait, the oldest for ${lagWithUnit(node.lagMs)}`),
    line('legacy', legacyText(node)),
    ...(node.copy === null ? [] : ['', copyLine(node, columns, palette)]),
    ...(warned.length === 0 ? [] : ['', ...warned]),
  ];
}

const STAGE_WORDS: Readonly<Record<string, string>> = {
  door: 'at the door',
  queue: 'for its turn',
  store: 'this disk',
  peers: 'other owners',
  record: 'PostgreSQL',
  forwarded: 'forwarded',
};

function legacyText(node: TopNode): string {
  if (node.legacyMax === 0) return node.legacy;
  return (
    `${node.legacy}, ${countText(node.legacyPerSecond)} calls/s (${countText(node.legacyFailuresPerSecond)} fail), ` +
    `${node.legacyInFlight} of ${node.legacyMax} in flight, ${countText(node.legacyRetriesLeft)} retries left`
  );
}

function timesText(pair: Pair | null): string {
  return pair === null ? '-' : `${pairText(pair)} ms`.replace(/([smh]) ms$/, '$1');
}

function ageText(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} days`;
}
