/**
 * One metric as it stands in docs/METRICS.md, and how its samples are read when metrics are asked for. Values are read
 * from what the node counts anyway; nothing here runs on the way of an operation.
 */
import type { Histogram } from '../../../base/histogram.ts';
import type { CounterName, EventName } from '../../../core/events.ts';
import type { Instruments } from '../../../core/instruments.ts';
import type { NodeStatus } from '../../../node/api.ts';
import type { DoorFacts, ProcessFacts } from './facts.ts';

/** Everything that samples are read from, at one moment. */
export interface Source {
  readonly status: NodeStatus;
  readonly instruments: Instruments;
  readonly events: ReadonlyMap<EventName, number>;
  readonly counters: ReadonlyMap<CounterName, number>;
  readonly doors: readonly DoorFacts[];
  readonly process: ProcessFacts;
  /** Of the store's files, as they were looked at a moment ago; null: not yet. */
  readonly storeBytes: number | null;
}

export type Labels = Readonly<Record<string, string | number>>;

/** As prom-client's registry takes them. */
export interface Sample {
  readonly metricName?: string;
  readonly labels: Labels;
  readonly value: number;
}

export interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Names of its labels; each has a bounded number of values. */
  readonly labels: readonly string[];
  readonly samples: (source: Source) => Sample[];
}

/** `read` gives null where there is nothing to tell: then there is no sample. */
export function gauge(name: string, help: string, read: (source: Source) => number | null): Metric {
  return { name, type: 'gauge', help, labels: [], samples: (source) => one(read(source)) };
}

export function counter(name: string, help: string, read: (source: Source) => number | null): Metric {
  return { name, type: 'counter', help, labels: [], samples: (source) => one(read(source)) };
}

/** A yes or a no. */
export function flag(name: string, help: string, read: (source: Source) => boolean | null): Metric {
  return gauge(name, help, (source) => {
    const is = read(source);
    return is === null ? null : Number(is);
  });
}

/** One sample for each value of its one label. */
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

/** In which of its states something is: 1 for that one, 0 for all others. */
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

/** In milliseconds here, in seconds there. */
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

/** Of the many ranges that times are kept in, those that are handed out: milliseconds. */
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

/** `read` of a counter that the process keeps by this name. */
export function counted(name: CounterName): (source: Source) => number {
  return ({ counters: all }) => all.get(name) ?? 0;
}

/** `read` of how often the process has told of this, whether or not the log has it. */
export function logged(name: EventName): (source: Source) => number {
  return ({ events }) => events.get(name) ?? 0;
}

function one(value: number | null): Sample[] {
  return value === null ? [] : [{ labels: {}, value }];
}

function each(label: string, values: Readonly<Record<string, number>> | null): Sample[] {
  return Object.entries(values ?? {}).map(([name, value]) => ({ labels: { [label]: name }, value }));
}
