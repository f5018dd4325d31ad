/**
 * /metrics compared with docs/METRICS.md: names, units and labels. The number of samples does not grow with the
 * cluster.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FakeNodeApi } from '../../../../test/support/fake-node-api.ts';
import { systemProcessUse } from '../../../adapters/system/process-use.ts';
import { COUNTERS, EVENTS } from '../../../core/observability/events.ts';
import { HTTP_SCRAPES_PER_SECOND_MAX } from '../../../core/clients/http-limits.ts';
import { Instruments } from '../../../core/observability/instruments.ts';
import { httpRoutes } from '../server.ts';
import { ProcessWatch } from './facts.ts';
import type { Metric, Source } from './metric.ts';
import { METRIC_GROUPS, Scrapes, countRequests, exposition, metricsRoutes } from './metrics.ts';

const METRICS = Object.values(METRIC_GROUPS).flat();
const page = readFileSync(new URL('../../../../docs/METRICS.md', import.meta.url), 'utf8');

/** Allowed last words of metric names: what the number counts, or its unit. */
const UNITS = new Set(
  'seconds bytes ratio info number state members slots keys tombstones operations entries rows records stores calls retries connections files changes'.split(
    ' ',
  ),
);

function source(instruments = new Instruments()): Source {
  return {
    ...{ status: new FakeNodeApi().status(), instruments, events: new Map(), counters: new Map() },
    doors: [
      { door: 'grpc', requests: 3 },
      {
        door: 'resp',
        requests: 4,
        connections: 1,
        rejected: 0,
        receivedBytes: 9,
        sentBytes: 8,
        waitingBytes: 0,
      },
    ],
    process: new ProcessWatch(() => systemProcessUse().memory()).facts(),
    storeBytes: 5_000,
  };
}

/** The metric as a table row of docs/METRICS.md. */
function rowOf({ name, type, labels, help }: Metric): string {
  const named = labels.map((label) => `\`${label}\``).join(', ');
  return `| \`${name}\` | ${type} | ${named === '' ? '-' : named} | ${help} |`;
}

test('docs/METRICS.md and the code: the same metrics under the same headings, with type, labels and help', () => {
  for (const [heading, metrics] of Object.entries(METRIC_GROUPS)) {
    const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
    const rows = section.split('\n').filter((line) => line.startsWith('| `'));
    expect(rows, heading).toEqual(metrics.map(rowOf));
  }
  const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
  expect(headings.filter((heading) => page.includes(`## ${heading}\n\n| name`))).toEqual(
    Object.keys(METRIC_GROUPS),
  );
});

test('every name: of this program, with its unit, and a counter says that it only grows', () => {
  expect(new Set(METRICS.map(({ name }) => name)).size).toBe(METRICS.length);
  for (const { name, type, help } of METRICS) {
    expect(name).toMatch(/^causeway(_[a-z]+)+$/);
    expect(help).toMatch(/\.$/);
    if (type === 'counter') expect(name).toMatch(/_total$/);
    else if (!help.startsWith('1 wh')) expect([...UNITS]).toContain(name.split('_').at(-1));
  }
});

test('each line that is told: a metric of the catalogue, its labels, a finite number', async () => {
  const text = await exposition(source());
  const byName = new Map(METRICS.map((metric) => [metric.name, metric]));
  const told = new Set<string>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const [, sample, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line)!;
    const base = byName.has(sample!) ? sample! : sample!.replace(/_(bucket|sum|count)$/, '');
    const metric = byName.get(base);
    expect(metric, line).toBeDefined();
    told.add(base);
    const names = [...labels.matchAll(/(\w+)="/g)].map(([, name]) => name!);
    expect(names.filter((name) => name !== 'le').sort()).toEqual([...metric!.labels].sort());
    expect(Number.isFinite(Number(value)), line).toBe(true);
  }
  // Metrics that need PostgreSQL, a round of scrubbing or a legacy source are missing without one.
  const silent = METRICS.map(({ name }) => name).filter((name) => !told.has(name));
  expect(silent).toEqual([
    ...[
      'causeway_scrub_ended_timestamp_seconds',
      'causeway_outside_waiting_changes',
      'causeway_legacy_room_calls',
    ],
    'causeway_legacy_budget_retries',
  ]);
});

test('three hundred members, thousands of keys, every failure: not one line more than a small cluster has', async () => {
  const small = source();
  const [member] = small.status.members;
  const members = Array.from({ length: 300 }, (_, id) => ({ ...member!, id, name: `m${id}` }));
  const instruments = new Instruments();
  for (let count = 0; count < 5_000; count += 1) instruments.read.record(count);
  instruments.failed('overloaded');
  instruments.failed('outcome_unknown');
  const large: Source = { ...small, instruments, status: { ...small.status, members, keysHeld: 9e6 } };
  const series = async (from: Source): Promise<string[]> =>
    (await exposition(from)).split('\n').map((line) => line.split(' ')[0]!);
  expect(await series(large)).toEqual(await series(small));
});

test('a histogram: ranges grow, the last one has all, times are told in seconds', async () => {
  const instruments = new Instruments();
  for (const ms of [0.05, 3, 3, 40, 20_000]) instruments.write.record(ms);
  const text = await exposition(source(instruments));
  const of = (suffix: string): number =>
    Number(new RegExp(`^causeway_write_duration_seconds_${suffix} (.*)$`, 'm').exec(text)![1]);
  expect(of('bucket\\{le="0.0001"\\}')).toBe(1);
  expect(of('bucket\\{le="0.0025"\\}')).toBe(1);
  expect(of('bucket\\{le="0.005"\\}')).toBe(3);
  expect(of('bucket\\{le="0.05"\\}')).toBe(4);
  expect(of('bucket\\{le="10"\\}')).toBe(4);
  expect(of('bucket\\{le="\\+Inf"\\}')).toBe(5);
  expect(of('count')).toBe(5);
  expect(of('sum')).toBeCloseTo(20.04605);
});

test('every event has its line from the start, so that the first one counts as a rise', async () => {
  const text = await exposition({ ...source(), events: new Map([['node.phase', 2]]) });
  for (const name of Object.keys(EVENTS))
    expect(text).toContain(`causeway_log_events_total{event="${name}"} ${name === 'node.phase' ? 2 : 0}\n`);
});

test('whatever is only counted is told: nothing is counted for nobody', async () => {
  for (const name of Object.keys(COUNTERS) as (keyof typeof COUNTERS)[])
    expect(await exposition({ ...source(), counters: new Map([[name, 7_654_321]]) }), name).toMatch(
      / 7654321$/m,
    );
});

test('clients that ask all the time: the text is made so often a second, and is at most a second old', async () => {
  let made = 0;
  const scrapes = new Scrapes(() => {
    made += 1;
    return { ...source(), counters: new Map([['record.retries', made]]) };
  });
  let now = 0;
  scrapes.now = () => now;
  const texts: string[] = [];
  for (; now < 3_000; now += 1) texts.push(await scrapes.text());
  expect(made).toBe(3 * HTTP_SCRAPES_PER_SECOND_MAX);
  expect(texts[0]).not.toBe(texts[1]);
  expect(texts[1_000]).not.toBe(texts[999]);
  expect(texts[1_999]).toBe(texts[1_000 + HTTP_SCRAPES_PER_SECOND_MAX - 1]);
});

test('over HTTP: the text, its type, and the requests that were made', async () => {
  const instruments = new Instruments();
  const mounts = [countRequests(instruments), metricsRoutes(() => source(instruments))];
  const routes = httpRoutes(new FakeNodeApi(), mounts);
  const answer = await routes.request('/metrics');
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(await answer.text()).toContain('# TYPE causeway_ready gauge\ncauseway_ready 1\n');
  expect(instruments.httpRequests).toBe(1);
  expect((await httpRoutes(new FakeNodeApi()).request('/metrics')).status).toBe(404);
});
