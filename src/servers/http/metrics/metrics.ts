/** /metrics: the catalogue in the Prometheus text format. */
import { Registry } from 'prom-client';
import type { Instruments } from '../../../core/instruments.ts';
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
  return (routes) => {
    routes.get('/metrics', async (context) =>
      context.body(await exposition(source()), 200, { 'content-type': Registry.PROMETHEUS_CONTENT_TYPE }),
    );
  };
}
