/**
 * One metric as documented in docs/METRICS.md, with a function that reads its samples when metrics are requested. The
 * values are ones that the node counts anyway; nothing here runs in the path of an operation.
 */
import type { Histogram } from '../../../base/histogram.ts';
import type { CounterName, EventName } from '../../../core/observability/events.ts';
import type { Instruments } from '../../../core/observability/instruments.ts';
import type { NodeStatus } from '../../../node/status.ts';
import type { DoorFacts, ProcessFacts } from './facts.ts';

/** Everything that samples are read from, at one moment. */
export interface Source {
  readonly status: NodeStatus;
  readonly instruments: Instruments;
  readonly events: ReadonlyMap<EventName, number>;
  readonly counters: ReadonlyMap<CounterName, number>;
  readonly doors: readonly DoorFacts[];
  readonly process: ProcessFacts;
  /** Size of the store's files when last measured; null if they were not measured yet. */
  readonly storeBytes: number | null;
}

export type Labels = Readonly<Record<string, string | number>>;

/** The form that prom-client's registry takes. */
export interface Sample {
  readonly metricName?: string;
  readonly labels: Labels;
  readonly value: number;
}

export interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Names of the labels; each label has a bounded number of values. */
  readonly labels: readonly string[];
  readonly samples: (source: Source) => Sample[];
}

/** If `read` returns null, there is nothing to report and the metric has no sample. */
export function gauge(name: string, help: string, read: (source: Source) => number | null): Metric {
  return { name, type: 'gauge', help, labels: [], samples: (source) => one(read(source)) };
}

export function counter(name: string, help: string, read: (source: Source) => number | null): Metric {
  return { name, type: 'counter', help, labels: [], samples: (source) => one(read(source)) };
}

/** A boolean as 1 or 0. */
export function flag(name: string, help: string, read: (source: Source) => boolean | null): Metric {
  return gauge(name, help, (source) => {
    const is = read(source);
    return is === null ? null : Number(is);
  });
}

/** One sample for each value of the single label. */
export function gauges(
  name: string,
  help: string,
  label: string,
  read: (source: Source) => Readonly<Record<string, number>> | null,
): Metric {
  return { name, type: 'gauge', help, labels: [label], samples: (source) => each(label, read(source)) };
}

export function counters(
  name: string,
  help: string,
  label: string,
  read: (source: Source) => Readonly<Record<string, number>> | null,
): Metric {
  return { name, type: 'counter', help, labels: [label], samples: (source) => each(label, read(source)) };
}

/** A state as one sample per possible state: 1 for the present state, 0 for all others. */
export function state<State extends string>(
  name: string,
  help: string,
  states: readonly State[],
  read: (source: Source) => State,
): Metric {
  return gauges(name, help, 'state', (source) => {
    const now = read(source);
    return Object.fromEntries(states.map((each) => [each, Number(each === now)]));
  });
}

/** The histogram is in milliseconds, the metric in seconds. */
export function timesOf(name: string, help: string, read: (source: Source) => Histogram): Metric {
  return {
    ...{ name, type: 'histogram', help, labels: [] },
    samples: (source) => bucketsOf(name, read(source), {}, SECONDS),
  };
}

export function timesBy(
  name: string,
  help: string,
  label: string,
  read: (source: Source) => Readonly<Record<string, Histogram>>,
): Metric {
  return {
    ...{ name, type: 'histogram', help, labels: [label] },
    samples: (source) =>
      Object.entries(read(source)).flatMap(([value, histogram]) =>
        bucketsOf(name, histogram, { [label]: value }, SECONDS),
      ),
  };
}

export function sizesOf(name: string, help: string, read: (source: Source) => Histogram): Metric {
  return {
    ...{ name, type: 'histogram', help, labels: [] },
    samples: (source) => {
      const histogram = read(source);
      return bucketsOf(name, histogram, {}, { bounds: [...histogram.bounds], perUnit: 1 });
    },
  };
}

/** The histogram has more buckets than are exposed; these are the exposed bounds, in milliseconds. */
const SECONDS = {
  bounds: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000],
  perUnit: 1_000,
};

interface Ranges {
  readonly bounds: readonly number[];
  readonly perUnit: number;
}

function bucketsOf(
  name: string,
  histogram: Histogram,
  labels: Labels,
  { bounds, perUnit }: Ranges,
): Sample[] {
  const { count, sum } = histogram;
  const bucket = (le: string | number, value: number): Sample => {
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value };
  };
  return [
    ...bounds.map((bound) => bucket(bound / perUnit, histogram.countUpTo(bound))),
    bucket('+Inf', count),
    { metricName: `${name}_sum`, labels, value: sum / perUnit },
    { metricName: `${name}_count`, labels, value: count },
  ];
}

/** A `read` function for the counter that the process keeps under this name. */
export function counted(name: CounterName): (source: Source) => number {
  return ({ counters: all }) => all.get(name) ?? 0;
}

/** A `read` function for the number of times that this event occurred, whether or not the log level let it through. */
export function logged(name: EventName): (source: Source) => number {
  return ({ events }) => events.get(name) ?? 0;
}

function one(value: number | null): Sample[] {
  return value === null ? [] : [{ labels: {}, value }];
}

function each(label: string, values: Readonly<Record<string, number>> | null): Sample[] {
  return Object.entries(values ?? {}).map(([name, value]) => ({ labels: { [label]: name }, value }));
}
