/**
 * The picture of a run as SVG, on one time axis: which faults were in force, operations by outcome, their latency, the
 * state of each node, and the epoch. Colours are names from the page's style, so that they suit light and dark mode.
 */
import type { FaultRecord, Run } from './run-file.ts';
import type { NodeSample } from './run-lines.ts';
import type { Bucket, Summary } from './summary.ts';

const WIDTH = 1_120;
const LEFT = 150;
const RIGHT = 16;
const PLOT = WIDTH - LEFT - RIGHT;
const ROW = 20;
const GAP = 44;
const RATE_HEIGHT = 130;
const LATENCY_HEIGHT = 110;
const EPOCH_HEIGHT = 60;
const TICKS_MAX = 12;
const TICK_STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200];
/** Milliseconds: the lower and upper edge of the latency panel, and its lines. */
const LATENCY_LINES_MS = [1, 10, 100, 1_000, 10_000];

export function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** The group of a fault, which determines its colour. */
export function familyOf(fault: string): 'process' | 'network' | 'postgres' | 'legacy' | 'machine' {
  if (/^(cut|delay|loss|throttle|resets|half-close)\b/.test(fault)) return 'network';
  if (fault.startsWith('postgres')) return 'postgres';
  if (fault.startsWith('legacy')) return 'legacy';
  return /^(disk|sync|clock)/.test(fault) ? 'machine' : 'process';
}

export function timelineSvg(run: Run, summary: Summary): string {
  const scale = new Scale(Math.max(1, summary.lastsMs));
  const panels = [
    faultPanel(run, scale),
    ratePanel(summary, scale),
    latencyPanel(summary, scale),
    nodePanel(run, scale),
    epochPanel(run, summary, scale),
  ];
  let top = 8;
  const placed = panels.map(({ title, height, body }) => {
    const at = top + 18;
    top = at + height + GAP - 18;
    return `<g transform="translate(0 ${at})"><text class="title" x="0" y="-9">${title}</text>${grid(scale, height)}${body}</g>`;
  });
  return `<svg viewBox="0 0 ${WIDTH} ${top + 6}" role="img" aria-label="the run over time">${placed.join('')}${axis(scale, top - GAP + 36)}</svg>`;
}

interface Panel {
  readonly title: string;
  readonly height: number;
  readonly body: string;
}

class Scale {
  readonly lastsMs: number;
  readonly ticks: readonly number[];

  constructor(lastsMs: number) {
    this.lastsMs = lastsMs;
    const lastsS = lastsMs / 1_000;
    const step = TICK_STEPS_S.find((one) => lastsS / one <= TICKS_MAX) ?? TICK_STEPS_S.at(-1)!;
    this.ticks = Array.from({ length: Math.floor(lastsS / step) + 1 }, (_, at) => at * step);
  }

  x(ms: number): number {
    return round(LEFT + (Math.min(Math.max(ms, 0), this.lastsMs) / this.lastsMs) * PLOT);
  }

  width(fromMs: number, toMs: number, least = 0): number {
    return Math.max(least, round(this.x(toMs) - this.x(fromMs)));
  }
}

function faultPanel(run: Run, scale: Scale): Panel {
  const rows = run.head.asked.map((fault, at) => {
    const y = at * ROW;
    const bands = run.faults.filter((one) => one.fault === fault).map((one) => faultBand(one, y, scale));
    return `${rowLabel(fault, y)}${bands.join('')}`;
  });
  return { title: 'faults in force', height: rows.length * ROW, body: rows.join('') };
}

function faultBand({ fault, fromMs, toMs, told, struck }: FaultRecord, y: number, scale: Scale): string {
  const seconds = `${(fromMs / 1_000).toFixed(1)} s to ${(toMs / 1_000).toFixed(1)} s`;
  const title = `<title>${escape(`${seconds}: ${told}${struck ? '' : ' (did not strike)'}`)}</title>`;
  const kind = struck ? `fill-${familyOf(fault)}` : 'missed';
  return `<rect class="${kind}" x="${scale.x(fromMs)}" y="${y + 4}" width="${scale.width(fromMs, toMs, 3)}" height="${ROW - 8}" rx="2">${title}</rect>`;
}

function ratePanel({ buckets, bucketMs, stalls }: Summary, scale: Scale): Panel {
  const perSecond = 1_000 / bucketMs;
  const most = Math.max(1, ...buckets.map(({ ok, definite, indefinite }) => ok + definite + indefinite));
  const y = (count: number): number => round(RATE_HEIGHT - (count / most) * RATE_HEIGHT);
  const bars = buckets.map((bucket) => rateBar(bucket, bucketMs, y, scale));
  const shades = stalls.map(({ fromMs, toMs }) => {
    const title = `<title>no acknowledged write for ${((toMs - fromMs) / 1_000).toFixed(2)} s</title>`;
    return `<rect class="stall" x="${scale.x(fromMs)}" y="0" width="${scale.width(fromMs, toMs, 1)}" height="${RATE_HEIGHT}">${title}</rect>`;
  });
  const labels = [most, most / 2, 0].map((count) => valueLabel(thousands(count * perSecond), y(count)));
  return {
    title: 'operations per second, by outcome; shaded: no write was acknowledged for 0.4 s or more',
    height: RATE_HEIGHT,
    body: shades.join('') + bars.join('') + labels.join(''),
  };
}

function rateBar(bucket: Bucket, bucketMs: number, y: (count: number) => number, scale: Scale): string {
  const { fromMs, ok, definite, indefinite } = bucket;
  const x = scale.x(fromMs);
  const width = Math.max(0.8, scale.width(fromMs, fromMs + bucketMs) - 0.4);
  let below = 0;
  const parts = (
    [
      ['ok', ok],
      ['definite', definite],
      ['indefinite', indefinite],
    ] as const
  ).map(([kind, count]) => {
    const top = y(below + count);
    const height = round(y(below) - top);
    below += count;
    return height <= 0
      ? ''
      : `<rect class="fill-${kind}" x="${x}" y="${top}" width="${width}" height="${height}"/>`;
  });
  return parts.join('');
}

function latencyPanel({ buckets, bucketMs }: Summary, scale: Scale): Panel {
  const [lowest, highest] = [LATENCY_LINES_MS[0]!, LATENCY_LINES_MS.at(-1)!];
  const span = Math.log(highest / lowest);
  const y = (ms: number): number => {
    const within = Math.min(Math.max(ms, lowest), highest);
    return round(LATENCY_HEIGHT * (1 - Math.log(within / lowest) / span));
  };
  const line = (kind: 'p50' | 'p99', msOf: (bucket: Bucket) => number | null): string => {
    let isDrawing = false;
    const path = buckets.map((bucket) => {
      const ms = msOf(bucket);
      const move = isDrawing ? 'L' : 'M';
      isDrawing = ms !== null;
      return ms === null ? '' : `${move}${scale.x(bucket.fromMs + bucketMs / 2)} ${y(ms)}`;
    });
    return `<path class="line-${kind}" d="${path.join('')}"/>`;
  };
  const labels = LATENCY_LINES_MS.map((ms) =>
    valueLabel(ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`, y(ms), true),
  );
  return {
    title: 'how long operations took that succeeded: median and 99th of 100',
    height: LATENCY_HEIGHT,
    body: labels.join('') + line('p99', ({ p99Ms }) => p99Ms) + line('p50', ({ p50Ms }) => p50Ms),
  };
}

function nodePanel(run: Run, scale: Scale): Panel {
  const rows = nodesOf(run).map((name, at) => {
    const y = at * ROW;
    const known = spansOf(run, name, scale.lastsMs).filter(({ state }) => state !== 'absent');
    const spans = known.map(
      ({ state, fromMs, toMs }) =>
        `<rect class="node-${state}" x="${scale.x(fromMs)}" y="${y + 3}" width="${scale.width(fromMs, toMs, 1)}" height="${ROW - 6}"><title>${name}: ${state}</title></rect>`,
    );
    return `${rowLabel(name, y)}${spans.join('')}`;
  });
  return { title: 'nodes, by their own word', height: rows.length * ROW, body: rows.join('') };
}

/** Including those that joined later. */
function nodesOf({ head, samples }: Run): string[] {
  return [...new Set([...head.nodes, ...samples.flatMap(({ nodes }) => nodes.map(({ name }) => name))])];
}

/** absent: not a member yet, or not any more. */
type NodeState = 'absent' | 'serving' | 'leaseless' | 'learning' | 'entering' | 'silent';

function stateOf(sample: NodeSample | undefined): NodeState {
  if (sample === undefined) return 'absent';
  if (sample.phase === null) return 'silent';
  if (sample.phase === 'serving') return sample.leaseHeld ? 'serving' : 'leaseless';
  return sample.phase === 'learning' ? 'learning' : 'entering';
}

/** Consecutive samples of the same state form one span. */
function spansOf(
  run: Run,
  name: string,
  lastsMs: number,
): { state: NodeState; fromMs: number; toMs: number }[] {
  const spans: { state: NodeState; fromMs: number; toMs: number }[] = [];
  run.samples.forEach(({ atMs, nodes }, at) => {
    const state = stateOf(nodes.find((node) => node.name === name));
    const toMs = run.samples[at + 1]?.atMs ?? lastsMs;
    const last = spans.at(-1);
    if (last?.state === state) last.toMs = toMs;
    else spans.push({ state, fromMs: at === 0 ? 0 : atMs, toMs });
  });
  return spans;
}

function epochPanel(run: Run, { epochFirst, epochLast }: Summary, scale: Scale): Panel {
  const least = epochFirst ?? 0;
  const most = Math.max(least + 1, epochLast ?? 1);
  const y = (epoch: number): number =>
    round(EPOCH_HEIGHT - ((epoch - least) / (most - least)) * EPOCH_HEIGHT);
  let path = '';
  let before: number | null = null;
  for (const { atMs, nodes } of run.samples) {
    const epoch = Math.max(before ?? 0, ...nodes.map((node) => node.epoch ?? 0));
    if (epoch === 0) continue;
    path += before === null ? `M${scale.x(0)} ${y(epoch)}` : `H${scale.x(atMs)}V${y(epoch)}`;
    before = epoch;
  }
  if (path !== '') path += `H${scale.x(scale.lastsMs)}`;
  const labels = valueLabel(String(most), y(most)) + valueLabel(String(least), y(least));
  return { title: 'epoch', height: EPOCH_HEIGHT, body: `${labels}<path class="line-epoch" d="${path}"/>` };
}

function grid(scale: Scale, height: number): string {
  const lines = scale.ticks.map(
    (second) =>
      `<line class="grid" x1="${scale.x(second * 1_000)}" x2="${scale.x(second * 1_000)}" y1="0" y2="${height}"/>`,
  );
  return `${lines.join('')}<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${height}" y2="${height}"/>`;
}

function axis(scale: Scale, y: number): string {
  const labels = scale.ticks.map(
    (second) =>
      `<text class="tick" x="${scale.x(second * 1_000)}" y="${y}" text-anchor="middle">${clockText(second)}</text>`,
  );
  return labels.join('');
}

function rowLabel(text: string, y: number): string {
  return `<text class="label" x="${LEFT - 10}" y="${y + ROW / 2 + 4}" text-anchor="end">${escape(text)}</text>`;
}

function valueLabel(text: string, y: number, hasLine = false): string {
  const line = hasLine ? `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>` : '';
  return `${line}<text class="tick" x="${LEFT - 10}" y="${y + 4}" text-anchor="end">${text}</text>`;
}

function clockText(second: number): string {
  return second < 120 ? `${second} s` : `${Math.floor(second / 60)}:${String(second % 60).padStart(2, '0')}`;
}

function thousands(number: number): string {
  return Math.round(number).toLocaleString('en-US');
}

function round(number: number): number {
  return Math.round(number * 100) / 100;
}
