/**
 * A frame of `causeway top`: from a model and a view to lines that fit the terminal's width and height. Pure, so that
 * tests can compare frames.
 */
import { wrapped } from '../base/wrapped.ts';
import { countText, grouped, lagWithUnit } from './figures.ts';
import { printable } from './table.ts';
import { copyLine } from './top-copy.ts';
import { shownColumns } from './top-columns.ts';
import type { Column } from './top-columns.ts';
import { detailLines } from './top-detail.ts';
import type { TopModel, TopNode } from './top-model.ts';
import { sortedNodes } from './top-view.ts';
import type { TopView } from './top-view.ts';
import { cut, trendText } from './top-text.ts';
import type { Palette } from './top-text.ts';

export interface Size {
  readonly columns: number;
  /** Infinity: as many rows as it takes. */
  readonly rows: number;
}

const COLUMNS_MIN = 40;

export function frameLines(model: TopModel | null, view: TopView, size: Size, palette: Palette): string[] {
  const columns = Math.max(COLUMNS_MIN, size.columns);
  if (model === null) return ['Asking the nodes ...'];
  const chosen = model.nodes.find(({ name }) => name === view.chosen);
  const head = headLines(model, view, columns, palette);
  const foot = footLines(view, columns, palette, size.rows === Infinity);
  const room = size.rows - head.length - foot.length;
  let body: string[];
  if (view.page === 'help') body = helpLines(columns);
  else if (view.page === 'node' && chosen !== undefined) body = detailLines(chosen, model, columns, palette);
  else body = overviewLines(model, view, columns, room, palette);
  const shown = body.slice(0, Math.max(1, room));
  const gap = size.rows === Infinity ? 0 : Math.max(0, room - shown.length);
  const lines = [...head, ...shown, ...Array.from({ length: gap }, () => ''), ...foot].slice(0, size.rows);
  return palette.isUnicode ? lines : lines.map((line) => line.replaceAll('\u2026', '.'));
}

function headLines(model: TopModel, view: TopView, columns: number, palette: Palette): string[] {
  const { nodes } = model;
  const serving = nodes.filter(({ isServing }) => isServing).length;
  const state = `${serving} of ${nodes.length} nodes serve`;
  const time = `${view.isPaused ? 'paused  ' : ''}${new Date(model.at).toISOString().slice(11, 19)}Z`;
  const whole = `Causeway ${model.clusterId.slice(0, 8)}  epoch ${model.epoch}  `;
  const title = whole.length + state.length + time.length < columns ? whole : 'Causeway  ';
  const space = ' '.repeat(Math.max(1, columns - title.length - state.length - time.length));
  const isWell = serving === nodes.length;
  const sum = (of: (node: TopNode) => number): number => nodes.reduce((total, node) => total + of(node), 0);
  const failures = sum((node) => node.failuresPerSecond + node.refusedPerSecond);
  const rates = [
    `reads/s ${countText(sum((node) => node.readsPerSecond))}`,
    `writes/s ${countText(sum((node) => node.writesPerSecond))}`,
    `failures/s ${countText(failures)}`,
  ];
  const line = rates.join('   ');
  const trendWidth = Math.min(40, columns - line.length - 3);
  // A single look makes no trend.
  const trend =
    trendWidth >= 8 && model.trend.length > 1
      ? `   ${trendText(model.trend, trendWidth, palette.isUnicode)}`
      : '';
  const ratesShown = failures > 0 ? line.replace(rates[2]!, palette.bad(rates[2]!)) : line;
  return [
    palette.bold(title) + (isWell ? palette.good(state) : palette.bad(state)) + space + palette.dim(time),
    line.length <= columns ? ratesShown + palette.good(trend) : cut(line, columns),
    ...outsideLines(model, sum, columns, palette),
    '',
  ];
}

/** PostgreSQL and the legacy API, over all nodes. */
function outsideLines(
  { nodes, slotsLost, slotsMoving }: TopModel,
  sum: (of: (node: TopNode) => number) => number,
  columns: number,
  palette: Palette,
): string[] {
  const lag = lagWithUnit(Math.max(0, ...nodes.map(({ lagMs }) => lagMs)));
  const waiting = sum(({ rowsWaiting }) => rowsWaiting);
  const postgres =
    `PostgreSQL ${common(nodes, ({ postgres: state }) => state)}  ` +
    `lag ${lag}  ` +
    `${countText(sum(({ rowsPerSecond }) => rowsPerSecond))} rows/s  ${countText(waiting)} waiting`;
  const max = sum(({ legacyMax }) => legacyMax);
  const legacyState = common(nodes, ({ legacy: state }) => state);
  const budget =
    max === 0
      ? ''
      : `  ${countText(sum(({ legacyPerSecond }) => legacyPerSecond))} calls/s  ` +
        `${sum(({ legacyInFlight }) => legacyInFlight)} of ${max} in flight  ` +
        `${countText(sum(({ legacyRetriesLeft }) => legacyRetriesLeft))} retries left`;
  const lines = [
    styledState(cut(postgres, columns), palette),
    styledState(cut(`legacy     ${legacyState}${budget}`, columns), palette),
  ];
  if (slotsMoving > 0)
    lines.push(palette.warn(cut(`${grouped(slotsMoving)} slots on their way to other owners`, columns)));
  if (slotsLost > 0)
    lines.push(palette.bad(cut(`${grouped(slotsLost)} slots have no living complete owner`, columns)));
  return lines;
}

function styledState(line: string, palette: Palette): string {
  if (/\b(down|open)\b/.test(line)) return palette.bad(line);
  return /\bfailing\b/.test(line) ? palette.warn(line) : line;
}

function overviewLines(
  model: TopModel,
  view: TopView,
  columns: number,
  room: number,
  palette: Palette,
): string[] {
  const shown = shownColumns(columns).filter(({ heading }) => heading !== 'TREND' || model.trend.length > 1);
  const nodes = sortedNodes(model.nodes, view);
  const bars = nodes.filter(({ copy }) => copy !== null).map((node) => copyLine(node, columns, palette));
  const remarks = model.remarks.map((text) => palette.warn(cut(printable(text), columns)));
  // The table has priority; it scrolls if there are more nodes than lines.
  const extra =
    (bars.length > 0 ? bars.length + 1 : 0) + (remarks.length > 0 ? Math.min(remarks.length, 3) + 1 : 0);
  const rows = Math.max(3, Math.min(nodes.length, room - 1 - extra));
  const at = Math.max(
    0,
    nodes.findIndex(({ name }) => name === view.chosen),
  );
  const from = Math.max(0, Math.min(at - rows + 1, nodes.length - rows));
  const visible = room === Infinity ? nodes : nodes.slice(from, from + rows);
  return [
    palette.bold(headingLine(shown, view)),
    ...visible.map((node) => rowLine(node, shown, node.name === view.chosen && room !== Infinity, palette)),
    ...(bars.length > 0 ? ['', ...bars] : []),
    ...(remarks.length > 0 ? ['', ...remarks] : []),
  ];
}

function headingLine(columns: readonly Column[], view: TopView): string {
  const cells = columns.map(({ heading, width, isLeft, sort }) => {
    const mark = sort === view.sort ? (view.isReversed ? '^' : 'v') : '';
    const text = heading.length + mark.length <= width ? heading + mark : heading;
    return isLeft ? text.padEnd(width) : text.padStart(width);
  });
  return ` ${cells.join(' ')}`.trimEnd();
}

function rowLine(node: TopNode, columns: readonly Column[], isChosen: boolean, palette: Palette): string {
  const cells = columns.map(({ width, isLeft, text, style }) => {
    const raw = cut(printable(text(node, width, palette.isUnicode)), width);
    const cell = isLeft ? raw.padEnd(width) : raw.padStart(width);
    return isChosen || style === undefined ? cell : palette[style(node)](cell);
  });
  const line = `${isChosen ? '>' : ' '}${cells.join(' ')}`;
  return isChosen ? palette.chosen(line) : line;
}

function footLines(view: TopView, columns: number, palette: Palette, isOnce: boolean): string[] {
  if (isOnce) return [];
  const keys =
    view.page === 'overview'
      ? `q leave  ? help  s sort (${view.sort})  r reverse  up/down choose  enter look into`
      : 'q leave  esc back';
  return [palette.dim(cut(keys, columns))];
}

/** The state that all answering nodes agree on, otherwise the state of each. */
function common(nodes: readonly TopNode[], of: (node: TopNode) => string): string {
  const states = [...new Set(nodes.filter(({ fault }) => fault === '').map(of))];
  return states.length === 0 ? 'unknown' : states.join('/');
}

/** Each word with its effect or meaning. */
const HELP: readonly (readonly [string, string])[] = [
  ['Keys', ''],
  ['up, down, k, j', 'choose a node'],
  ['enter, l', 'look into it; esc, h: back'],
  ['s', 'sort by the next column: name, state, reads, writes, p99, lag'],
  ['r', 'the other way round'],
  ['p, space', 'hold the screen still, and go on'],
  ['+ -', 'ask less often, more often'],
  ['q, Ctrl-C', 'leave'],
  ['', ''],
  ['Columns', ''],
  ['LEASE', 'milliseconds that its lease still runs; without one it serves nothing'],
  ['READ MS', 'median and p99 of the last seconds, as clients of this node had them'],
  ['WRITE MS', 'the same of writes'],
  ['PG LAG', 'how long the oldest write has been waiting for PostgreSQL'],
  ['LEGACY', 'calls a second, and calls in flight of those allowed at once'],
  ['TREND', 'reads and writes a second, the newest last, the highest of it at the top'],
];
const HELP_WORD_WIDTH = 17;
const HELP_INDENT = 2 + HELP_WORD_WIDTH;

/** Continues on further lines if the terminal is too narrow. */
function helpLines(columns: number): string[] {
  return HELP.flatMap(([word, text]) =>
    text === '' ? [word] : wrapped(`  ${word.padEnd(HELP_WORD_WIDTH)}`, text, HELP_INDENT, columns),
  );
}
