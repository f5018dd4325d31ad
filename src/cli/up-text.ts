/** The texts of `causeway up`, as pure functions, so that they can be tested without a terminal. */
import { join, relative } from 'node:path';
import { postgresUrlShown } from '../base/credentials.ts';
import type { ClusterEvent, Endpoints } from '../supervisor/local-cluster.ts';
import { NODE_HOST } from '../supervisor/node-files.ts';
import type { NodeView } from '../supervisor/node-probe.ts';
import { grouped } from './figures.ts';

/** Matches words that need no quotes in a shell. */
const PLAIN_WORD = /^[\w@%+=:,./-]+$/;

/** Where the program lies in a checkout and in an installed package, relative to a directory that `npx` searches. */
const FOUND_BY_NPX = [
  join('dist', 'causeway.js'),
  join('node_modules', 'causeway', 'dist', 'causeway.js'),
] as const;

/**
 * How to run, in another terminal in `directory`, the program that was started as `entry` (an absolute path). If npx
 * fetched the package for a single run (`npx ./causeway-*.tgz up`), `npx causeway` would look for it in the registry.
 */
export function commandOf(entry: string, directory: string): string {
  const place = relative(directory, entry);
  if (FOUND_BY_NPX.some((known) => known === place)) return 'npx causeway';
  return `node ${quoted(entry)}`;
}

function quoted(text: string): string {
  return PLAIN_WORD.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** What runs where, and three commands worth trying; `command` is how a person runs this program. */
export function readyText({ nodes, databaseUrl, legacyUrl, logs }: Endpoints, command: string): string[] {
  const shownUrl = postgresUrlShown(databaseUrl);
  const first = nodes[0];
  if (!first) return [];
  return [
    '',
    'Causeway is ready.',
    '',
    ...nodes.map(
      ({ name, grpcPort, httpPort, respPort }) =>
        `  ${name.padEnd(8)}  gRPC ${NODE_HOST}:${grpcPort}  Redis ${NODE_HOST}:${respPort}  http://${NODE_HOST}:${httpPort}/`,
    ),
    `  ${'postgres'.padEnd(8)}  ${shownUrl}`,
    `  ${'legacy'.padEnd(8)}  ${legacyUrl ?? 'none'}`,
    `  ${'logs'.padEnd(8)}  ${logs}`,
    '',
    'Worth trying, in another terminal:',
    '',
    ...nodesCommand(nodes.map(({ grpcPort }) => grpcPort)),
    `  ${command} set greeting hello`,
    ...(databaseUrl === 'none' ? [] : [`  psql ${quoted(shownUrl)} -c 'SELECT key FROM kv_store'`]),
    `  curl -i http://${NODE_HOST}:${first.httpPort}/readyz`,
    '',
    `The cluster in a browser, at any node: http://${NODE_HOST}:${first.httpPort}/`,
    '',
  ];
}

/** Enough nodes that one may be down. */
const NODES_NAMED_MAX = 3;

/** Sets the nodes once, for all commands that follow; nothing if they are at the default addresses. */
function nodesCommand(grpcPorts: readonly number[]): string[] {
  const named = grpcPorts.slice(0, NODES_NAMED_MAX).map((port) => `${NODE_HOST}:${port}`);
  return grpcPorts[0] === 50_051 ? [] : [`  export CAUSEWAY_NODES=${named.join(',')}`];
}

/** A line about an event, or undefined if users need not know of it. */
export function eventLine(event: ClusterEvent, isReady: boolean): string | undefined {
  switch (event.kind) {
    case 'progress':
      return event.text;
    case 'started':
      return isReady ? `${event.name} runs again (pid ${event.pid})` : undefined;
    case 'ended':
      if (event.restartInMs === undefined) return undefined;
      return `${event.name} ended (${event.reason}), starts again in ${event.restartInMs / 1000} s`;
  }
}

/** One line per node and one for the totals, each at most `columns` wide. Rates are computed since `before`. */
export function statusLines(
  views: readonly NodeView[],
  before: readonly NodeView[],
  seconds: number,
  columns: number,
): string[] {
  const lines = views.map((view, index) => {
    const earlier = before[index];
    const rate = (now: number, then: number | undefined): string =>
      grouped(then === undefined || now < then || seconds <= 0 ? 0 : Math.round((now - then) / seconds));
    const reads = rate(view.reads, earlier?.reads);
    const writes = rate(view.writes, earlier?.writes);
    return [
      view.name.padEnd(7),
      (view.phase === 'serving' && !view.leaseHeld ? 'no lease' : view.phase).padEnd(11),
      `${view.membersAlive}/${view.membersKnown} alive`,
      `${grouped(view.keysHeld)} keys`.padStart(12),
      `${reads} reads/s`.padStart(13),
      `${writes} writes/s`.padStart(14),
    ].join(' ');
  });
  const outside = `PostgreSQL ${common(views, 'record')}, legacy ${common(views, 'legacy')}`;
  const calls = views.reduce((sum, view) => sum + view.legacyCalls, 0);
  lines.push(`${outside}, ${grouped(calls)} legacy calls. Ctrl-C stops everything.`);
  return lines.map((line) => line.slice(0, Math.max(1, columns - 1)));
}

/** What changed between two looks, one line per change; counters do not count. */
export function changeLines(views: readonly NodeView[], before: readonly NodeView[]): string[] {
  return views.flatMap((view, index) => {
    const now = summary(view);
    const earlier = before[index];
    return earlier && summary(earlier) === now ? [] : [`${view.name}: ${now}`];
  });
}

function summary(view: NodeView): string {
  if (!view.answers) return 'does not answer';
  return (
    `${view.phase}, ${view.leaseHeld ? 'holds a lease' : 'holds no lease'}, epoch ${view.epoch}, ` +
    `${view.membersAlive}/${view.membersKnown} alive, PostgreSQL ${view.record}, legacy ${view.legacy}`
  );
}

/** The state that all answering nodes agree on, otherwise the state of each. */
function common(views: readonly NodeView[], field: 'record' | 'legacy'): string {
  const states = [...new Set(views.filter(({ answers }) => answers).map((view) => view[field]))];
  return states.length === 0 ? 'unknown' : states.join('/');
}
