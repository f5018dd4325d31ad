/** /metrics: the catalogue in the Prometheus text format. */
import { Registry } from 'prom-client';
import { RollingCount } from '../../../base/rolling-count.ts';
import { HTTP_SCRAPES_PER_SECOND_MAX } from '../../../core/clients/http-limits.ts';
import type { Instruments } from '../../../core/observability/instruments.ts';
import type { Mount } from '../server.ts';
import type { Metric, Source } from './metric.ts';
import { FAST, SAFE, SERVING } from './of-node.ts';
import { PROCESS_METRICS } from './of-process.ts';
import { BY_HAND, DISK, LEGACY, RECORD } from './of-stores.ts';

/** Keyed by the headings of docs/METRICS.md. */
export const METRIC_GROUPS: Readonly<Record<string, readonly Metric[]>> = {
  'Is it serving': SERVING,
  'Is it safe': SAFE,
  'Is it fast': FAST,
  "The node's own disk": DISK,
  PostgreSQL: [...RECORD, ...BY_HAND],
  'Is it migrating': LEGACY,
  'Doors, process and log': PROCESS_METRICS,
};

const METRICS = Object.values(METRIC_GROUPS).flat();

/** All samples are read from one `source`, so that they describe one moment. */
export async function exposition(source: Source): Promise<string> {
  const registry = new Registry();
  for (const metric of METRICS) {
    const { name, help, type } = metric;
    const whole = { name, help, type, aggregator: 'sum', values: metric.samples(source) };
    registry.registerMetric({ name, get: () => Promise.resolve(whole) } as never);
  }
  return registry.metrics();
}

/** Counts every request to the routes that are mounted after this. */
export function countRequests(instruments: Instruments): Mount {
  return (routes) => {
    routes.use((_context, next) => {
      instruments.httpRequests += 1;
      return next();
    });
  };
}

export function metricsRoutes(source: () => Source): Mount {
  const scrapes = new Scrapes(source);
  return (routes) => {
    routes.get('/metrics', async (context) =>
      context.body(await scrapes.text(), 200, { 'content-type': Registry.PROMETHEUS_CONTENT_TYPE }),
    );
  };
}

/**
 * Makes the text anew for each request, up to HTTP_SCRAPES_PER_SECOND_MAX times a second. Whoever asks beyond that is
 * given the last one, which is at most a second old: clients that ask all the time would take the node its time.
 */
export class Scrapes {
  /** Milliseconds on any clock that only goes forwards. */
  now: () => number = () => performance.now();
  private readonly source: () => Source;
  private last: Promise<string> | null = null;
  private readonly made = new RollingCount(1_000);

  constructor(source: () => Source) {
    this.source = source;
  }

  text(): Promise<string> {
    const now = this.now();
    if (this.last !== null && this.made.sum(now) >= HTTP_SCRAPES_PER_SECOND_MAX) return this.last;
    this.made.add(now);
    this.last = exposition(this.source());
    return this.last;
  }
}
