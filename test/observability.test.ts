/**
 * The dashboard, the alerts and the pages that they name, checked against the catalogue of metrics and the events of
 * the log.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { ERROR_TABLE } from '../src/core/errors.ts';
import { EVENTS, COUNTERS } from '../src/core/observability/events.ts';
import { METRIC_GROUPS } from '../src/servers/http/metrics/metrics.ts';
import { repositoryRoot } from './support/root.ts';
import { anchorsIn } from './tidy/documents.ts';

const read = (path: string): string => readFileSync(`${repositoryRoot}/${path}`, 'utf8');
const METRICS = new Map(
  Object.values(METRIC_GROUPS).flatMap((group) => group.map((metric) => [metric.name, metric])),
);

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}

const rules = (
  parse(read('deploy/prometheus/rules/causeway.yml')) as { groups: { rules: Rule[] }[] }
).groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(read('deploy/grafana/dashboards/causeway.json')) as { panels: Panel[] };
const handbook = read('docs/OPERATIONS.md');

/** What is wrong with the metrics that an expression uses. */
function faultsOf(expr: string): string[] {
  const faults: string[] = [];
  for (const [, name, selector = ''] of expr.matchAll(/\b(causeway_[a-z_]+)(?:\{([^}]*)\})?/g)) {
    const base = METRICS.has(name!) ? name! : name!.replace(/_(bucket|sum|count)$/, '');
    const metric = METRICS.get(base);
    if (metric === undefined) {
      faults.push(`${name} is no metric`);
      continue;
    }
    if ((metric.type === 'histogram') !== (base !== name))
      faults.push(`${name}: a histogram has _bucket, _sum and _count`);
    for (const [, label] of selector.matchAll(/(\w+)\s*=/g))
      if (label !== 'instance' && !metric.labels.includes(label!))
        faults.push(`${name} has no label ${label}`);
    for (const [, events] of selector.matchAll(/event=~?"([^"]+)"/g))
      for (const event of events!.split('|'))
        if (!Object.hasOwn(EVENTS, event)) faults.push(`${event} is no event`);
  }
  for (const pair of ['()', '{}', '[]'])
    if (expr.split(pair[0]!).length !== expr.split(pair[1]!).length)
      faults.push(`${pair} do not match: ${expr}`);
  return faults;
}

test('alerts: each names metrics and labels that exist, a severity, a line for people, and a section of the handbook', () => {
  expect(rules.length).toBeGreaterThan(25);
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  const anchors = anchorsIn(handbook);
  for (const { alert, expr, labels, annotations } of rules) {
    expect(faultsOf(expr), alert).toEqual([]);
    expect(['page', 'ticket'], alert).toContain(labels.severity);
    expect(annotations['summary'], alert).toMatch(/\.$/);
    expect(annotations['description'], alert).toMatch(/\.$/);
    const [page, anchor] = annotations['runbook_url']!.split('#');
    expect(page, alert).toBe('docs/OPERATIONS.md');
    expect(anchors, alert).toContain(anchor);
  }
});

test('failures that are to wake somebody up: all but those whose reason is the request itself', () => {
  const ofRequests = new Set(['INVALID_ARGUMENT', 'FAILED_PRECONDITION', 'OUT_OF_RANGE', 'UNIMPLEMENTED']);
  const expected = Object.entries(ERROR_TABLE).flatMap(([code, { status }]) =>
    ofRequests.has(status) ? [code] : [],
  );
  const { expr } = rules.find(({ alert }) => alert === 'CausewayFailures')!;
  const left = [...expr.matchAll(/code!~"([^"]+)"/g)].flatMap(([, codes]) => codes!.split('|'));
  expect(left.sort()).toEqual(expected.sort());
});

test('each section of the handbook says of which alerts it is, and they lead to it', () => {
  const sections = handbook
    .split('\n# ')
    .find((part) => part.startsWith('When something turns red'))!
    .split('\n## ')
    .slice(1);
  const told = sections.flatMap((section) => {
    const [heading = ''] = anchorsIn(`## ${section.split('\n')[0]!}`);
    const names = /^\*([^*]+)\.\*/m.exec(section)?.[1]!.split(', ') ?? [];
    return names.map((name) => `${name} -> ${heading}`);
  });
  const led = rules.map(
    ({ alert, annotations }) => `${alert} -> ${annotations['runbook_url']!.split('#')[1]!}`,
  );
  expect(told.sort()).toEqual(led.sort());
});

test('links within the handbook lead somewhere, and its events and metrics exist', () => {
  const anchors = anchorsIn(handbook);
  for (const [, anchor] of handbook.matchAll(/\]\(#([^)]+)\)/g)) expect(anchors).toContain(anchor);
  for (const [, file] of handbook.matchAll(/\]\(([A-Za-z][\w/.-]*\.md)/g))
    expect(read(`docs/${file!}`).length).toBeGreaterThan(100);
  for (const [, name] of handbook.matchAll(/`(causeway_[a-z_]+)`/g))
    expect(METRICS.has(name!), name).toBe(true);
  const families = new Set(Object.keys(EVENTS).map((name) => name.split('.')[0]));
  const isSetting = (name: string): boolean => read('docs/CONFIGURATION.md').includes(`\`${name}\``);
  for (const [, name] of handbook.matchAll(/`([a-z]+\.[a-z_.]+[a-z])`/g))
    if (families.has(name!.split('.')[0]) && !isSetting(name!))
      expect(Object.hasOwn(EVENTS, name!) || name === 'legacy.reason', name).toBe(true);
});

test('the dashboard: four questions from top to bottom, every metric exists, nothing lies on anything else', () => {
  const rows = dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title);
  expect(rows).toEqual(['Is it serving?', 'Is it safe?', 'Is it fast?', 'Is it migrating?']);
  const taken = new Set<string>();
  for (const { title, description, targets = [], gridPos, type } of dashboard.panels) {
    for (const { expr } of targets)
      expect(faultsOf(expr.replaceAll('$__rate_interval', '5m')), title).toEqual([]);
    if (type !== 'row') expect(description, title).toMatch(/\S/);
    expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
        expect(taken.has(`${x},${y}`), `${title} lies on another`).toBe(false);
        taken.add(`${x},${y}`);
      }
  }
});

test('what the dashboard tells of clients: each of their operations counts once, whatever nodes forward or begin themselves', () => {
  for (const title of ['Operations a second', 'Reads that still need it']) {
    const [target] = dashboard.panels.find((panel) => panel.title === title)!.targets!;
    expect(target!.expr, title).toContain('causeway_read_duration_seconds_count');
    expect(target!.expr, title).not.toContain('causeway_operations_total');
  }
});

test('a metric that is gone, a label that it has not, an event that was renamed: found', () => {
  expect(faultsOf('rate(causeway_nothing_total[5m])')).toEqual(['causeway_nothing_total is no metric']);
  expect(faultsOf('causeway_slots{phase="lost"}')).toEqual(['causeway_slots has no label phase']);
  expect(faultsOf('causeway_write_duration_seconds')).toHaveLength(1);
  expect(faultsOf('causeway_log_events_total{event=~"node.phase|node.phrase"}')).toEqual([
    'node.phrase is no event',
  ]);
  expect(faultsOf('sum(causeway_keys')).toHaveLength(1);
});

test('docs/LOGS.md lists every event and no other, with what it says; each is told somewhere', () => {
  const rows = read('docs/LOGS.md')
    .split('| event | what')[1]!
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  expect(rows).toEqual(Object.entries(EVENTS).map(([name, says]) => `| \`${name}\` | ${says} |`));
  expect(Object.keys(EVENTS)).toEqual(Object.keys(EVENTS).sort());
  const sources = readdirSync(`${repositoryRoot}/src`, { recursive: true, encoding: 'utf8' })
    .filter(
      (path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && path !== 'core/observability/events.ts',
    )
    .map((path) => read(`src/${path}`))
    .join('\n');
  for (const name of [...Object.keys(EVENTS), ...Object.keys(COUNTERS)])
    expect(sources, name).toContain(`'${name}'`);
});
