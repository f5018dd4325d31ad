/** What the user looks at in `causeway top`, and the effect of each key. Knows neither terminal nor clock. */
import type { TopNode } from './top-model.ts';

export type Sort = 'name' | 'state' | 'reads' | 'writes' | 'p99' | 'lag';

export interface TopView {
  readonly page: 'overview' | 'node' | 'help';
  readonly sort: Sort;
  readonly isReversed: boolean;
  /** Name of the selected node; '' if none is selected. */
  readonly chosen: string;
  readonly isPaused: boolean;
  readonly intervalMs: number;
}

const SORTS: readonly Sort[] = ['name', 'state', 'reads', 'writes', 'p99', 'lag'];
export const INTERVAL_MS_MIN = 250;
const INTERVAL_MS_MAX = 60_000;

export function firstView(intervalMs: number): TopView {
  return { page: 'overview', sort: 'name', isReversed: false, chosen: '', isPaused: false, intervalMs };
}

export function sortedNodes(nodes: readonly TopNode[], { sort, isReversed }: TopView): TopNode[] {
  const order = nodes
    .map((node, at) => ({ node, at }))
    .sort((a, b) => difference(a.node, b.node, sort) || a.at - b.at);
  const sorted = order.map(({ node }) => node);
  return isReversed ? sorted.reverse() : sorted;
}

/** By name ascending; by a number, the highest first; by state, nodes that do not serve first. */
function difference(a: TopNode, b: TopNode, sort: Sort): number {
  switch (sort) {
    case 'name':
      return 0;
    case 'state':
      return Number(a.isServing) - Number(b.isServing) || a.state.localeCompare(b.state);
    case 'reads':
      return b.readsPerSecond - a.readsPerSecond;
    case 'writes':
      return b.writesPerSecond - a.writesPerSecond;
    case 'p99':
      return (b.writeMs?.p99 ?? 0) - (a.writeMs?.p99 ?? 0);
    case 'lag':
      return b.lagMs - a.lagMs;
  }
}

/** Splits the keys that a terminal has sent in one piece. */
export function keysIn(text: string): string[] {
  return text.match(/\u001b\[[0-9;]*[A-Za-z~]|\u001bO[A-Za-z]|[\s\S]/gu) ?? [];
}

export type Pressed =
  { readonly kind: 'view'; readonly view: TopView } | { readonly kind: 'leave' } | { readonly kind: 'stop' };

// long: one table of keys
export function press(view: TopView, key: string, nodes: readonly TopNode[]): Pressed {
  const to = (changes: Partial<TopView>): Pressed => ({ kind: 'view', view: { ...view, ...changes } });
  switch (key) {
    case 'q':
    case 'Q':
    case '\u0003':
    case '\u0004':
      return { kind: 'leave' };
    case '\u001a':
      return { kind: 'stop' };
    case '?':
      return to({ page: view.page === 'help' ? 'overview' : 'help' });
    case '\u001b':
    case 'h':
    case '\u001b[D':
    case '\u001bOD':
    case '\u007f':
      return to({ page: 'overview' });
    case '\r':
    case '\n':
    case 'l':
    case '\u001b[C':
    case '\u001bOC':
      if (view.page !== 'overview') return to({});
      return to({ ...moved(view, nodes, 0), ...(nodes.length === 0 ? {} : { page: 'node' as const }) });
    case 'j':
    case '\u001b[B':
    case '\u001bOB':
      return to(moved(view, nodes, 1));
    case 'k':
    case '\u001b[A':
    case '\u001bOA':
      return to(moved(view, nodes, -1));
    case 's':
      return to({ sort: SORTS[(SORTS.indexOf(view.sort) + 1) % SORTS.length]! });
    case 'r':
      return to({ isReversed: !view.isReversed });
    case 'p':
    case ' ':
      return to({ isPaused: !view.isPaused });
    case '+':
      return to({ intervalMs: Math.min(INTERVAL_MS_MAX, view.intervalMs * 2) });
    case '-':
      return to({ intervalMs: Math.max(INTERVAL_MS_MIN, view.intervalMs / 2) });
    default:
      return to({});
  }
}

/** If no node is selected, or the selected one is gone, starts from the first one. */
function moved(view: TopView, nodes: readonly TopNode[], by: number): Partial<TopView> {
  const sorted = sortedNodes(nodes, view);
  const at = sorted.findIndex(({ name }) => name === view.chosen);
  const next = at < 0 ? 0 : Math.min(sorted.length - 1, Math.max(0, at + by));
  return { chosen: sorted[next]?.name ?? '' };
}
