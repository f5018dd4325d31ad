/** A chart of the last minutes: uPlot in the page's colours and sizes, with its values in words beside it. */
import { signal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { clock } from './format.ts';
import { columnsOf, SHOWN_MS, SHOWN_MS_MIN } from './history.ts';
import type { Columns, Line } from './history.ts';
import { samples } from './state.ts';
import { colorOf, isDark } from './theme.ts';

export interface ChartLine {
  readonly name: string;
  readonly line: Line;
  /** The name of a CSS variable. */
  readonly color: string;
  readonly isDashed?: boolean;
  /** If set, nothing is drawn where the value is 0. */
  readonly isRare?: boolean;
}

interface ChartProps {
  readonly label: string;
  readonly lines: readonly ChartLine[];
  readonly format: (value: number) => string;
  /** The scale extends at least this far. */
  readonly topMin: number;
}

export function Chart({ label, lines, format, topMin }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  /** The sample under the pointer; null for the newest. */
  const pointed = useMemo(() => signal<number | null>(null), []);
  const columns = columnsOf(
    samples.value,
    lines.map(({ line }) => line),
  );
  const dark = isDark.value;

  useEffect(() => {
    const element = box.current!;
    const made = new uPlot(options(lines, format, topMin, pointed), drawnOf(columns, lines), element);
    plot.current = made;
    const fit = (): void => made.setSize({ width: element.clientWidth, height: element.clientHeight });
    const observer = new ResizeObserver(fit);
    observer.observe(element);
    fit();
    return () => {
      observer.disconnect();
      made.destroy();
    };
    // The other inputs are passed below, or never change.
  }, [dark]);

  useEffect(() => {
    plot.current?.setData(drawnOf(columns, lines), false);
    plot.current?.setScale('x', shownOf(columns));
  });

  const at = pointed.value ?? columns[0].length - 1;
  const words = lines.map(({ name }, line) => `${name} ${valueAt(columns, line, at, format)}`);
  return (
    <figure class="chart">
      <figcaption>
        {lines.map(({ name, color, isDashed }, line) => (
          <span key={name} class={`key ${isDashed === true ? 'dashed' : ''}`}>
            <i style={{ borderColor: `var(${color})` }} />
            {name} <b class="number">{valueAt(columns, line, at, format)}</b>
          </span>
        ))}
      </figcaption>
      <div
        class="plot"
        ref={box}
        role="img"
        aria-label={`${label}, the last three minutes. Now: ${words.join(', ')}`}
      />
    </figure>
  );
}

function drawnOf([times, ...values]: Columns, lines: readonly ChartLine[]): Columns {
  return [
    times,
    ...values.map((column, at) =>
      lines[at]!.isRare === true ? column.map((value) => (value === 0 ? null : value)) : column,
    ),
  ];
}

function valueAt(columns: Columns, line: number, at: number, format: (value: number) => string): string {
  const value = columns[line + 1]?.[at] ?? null;
  return value === null ? '–' : format(value);
}

function shownOf([times]: Columns): { min: number; max: number } {
  const max = times.at(-1) ?? Date.now() / 1_000;
  const span = Math.min(SHOWN_MS, Math.max(SHOWN_MS_MIN, (max - (times[0] ?? max)) * 1_000));
  return { min: max - span / 1_000, max };
}

function options(
  lines: readonly ChartLine[],
  format: (value: number) => string,
  topMin: number,
  pointed: Signal<number | null>,
): uPlot.Options {
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const font = `${Math.round(rem * 0.75)}px ${getComputedStyle(document.body).fontFamily}`;
  const axis = {
    stroke: colorOf('--soft'),
    font,
    ticks: { show: false },
    grid: { stroke: colorOf('--line'), width: 1 },
  };
  return {
    width: 100,
    height: 100,
    padding: [rem * 0.5, rem * 0.5, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: rem * 0.5 }, drag: { x: false, y: false } },
    scales: { x: { time: true }, y: { range: (_plot, _min, max) => [0, Math.max(topMin, max * 1.15)] } },
    axes: [
      { ...axis, grid: { show: false }, space: rem * 3.6, size: rem * 1.7, values: timesWithin(rem * 1.8) },
      {
        ...axis,
        space: rem * 2.2,
        size: rem * 4.2,
        incrs: STEPS,
        values: (_plot, values) => values.map((value) => format(value)),
      },
    ],
    series: [
      {},
      ...lines.map(({ color, isDashed }) => ({
        stroke: colorOf(color),
        width: rem / 8,
        points: { show: false },
        ...(isDashed === true ? { dash: [rem * 0.3, rem * 0.25] } : {}),
        ...(isDashed === true ? {} : { fill: colorOf(`${color}-wash`) }),
      })),
    ],
    hooks: {
      setCursor: [({ cursor }) => void (pointed.value = cursor.left! >= 0 ? (cursor.idx ?? null) : null)],
    },
  };
}

/** Grid steps at which a label shows the exact value of its line. */
const STEPS = Array.from({ length: 13 }, (_, power) =>
  [1, 2, 5].map((step) => step * 10 ** (power - 3)),
).flat();

/**
 * Hours and minutes on the full minute, and half minutes with seconds; without labels that would leave the chart or
 * collide with its corner.
 */
function timesWithin(margin: number) {
  return (plot: uPlot, seconds: readonly number[]): string[] =>
    seconds.map((second) => {
      const at = plot.valToPos(second, 'x');
      const isWithin = at >= margin && at <= plot.over.clientWidth - margin;
      return isWithin ? clock(second * 1_000, second % 60 !== 0) : '';
    });
}
