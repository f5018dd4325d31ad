/**
 * Plots as SVG, drawn by Apache ECharts without a browser: the report needs no script and nothing from elsewhere.
 * Colours of texts and lines are names from the page's style, so that they suit light and dark mode.
 */
import { BarChart, BoxplotChart, ScatterChart } from 'echarts/charts';
import { GridComponent, MarkLineComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import type { EChartsCoreOption } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { shown } from '../report.ts';
import type { Ratio } from './ratio.ts';

use([BarChart, BoxplotChart, ScatterChart, GridComponent, MarkLineComponent, SVGRenderer]);

const WIDTH = 1_120;
const INK = 'var(--ink)';
const MUTED = 'var(--muted)';
const GRID = 'var(--grid)';
/** One for each system, in order; distinguishable in light and dark mode. */
export const COLOURS = [
  '#2f7ed8',
  '#7fb2ec',
  '#c8372d',
  '#ef8a7c',
  '#8a4fd0',
  '#4d7f3c',
  '#95c17b',
  '#d99100',
];

const MET = '#3d9a48';
const MISSED = '#d64545';

export interface Series {
  readonly name: string;
  readonly colour: string;
  /** One for each category; null if there is none. */
  readonly values: readonly (number | null)[];
}

/** Grouped bars over a logarithmic axis. */
export function barChart(categories: readonly string[], series: readonly Series[], unit: string): string {
  return drawn(340, {
    grid: { left: 66, right: 8, top: 44, bottom: 44 },
    xAxis: {
      type: 'category',
      data: categories,
      axisLine: { lineStyle: { color: MUTED } },
      axisTick: { show: false },
      axisLabel: { color: INK, interval: 0, fontSize: 12, lineHeight: 15 },
    },
    yAxis: logarithmic(unit),
    series: series.map(({ name, colour, values }) => ({
      ...{ type: 'bar', name, data: values, itemStyle: { color: colour, borderRadius: [2, 2, 0, 0] } },
      barGap: '8%',
      barCategoryGap: '18%',
      label: {
        ...{ show: true, position: 'top', rotate: 90, align: 'left', verticalAlign: 'middle', distance: 5 },
        ...{ color: MUTED, fontSize: 10, formatter: ({ value }: { value: unknown }) => brief(Number(value)) },
      },
    })),
  });
}

export interface Span {
  readonly name: string;
  readonly ratio: Ratio;
  /** A minimum or a maximum. */
  readonly target: number;
  readonly isMet: boolean;
}

/** How far each ratio is from its target, which is the line in the middle; boxes are the intervals of the repeats. */
export function targetChart(spans: readonly Span[]): string {
  const rows = [...spans].reverse();
  return drawn(60 + rows.length * 30, {
    grid: { left: 470, right: 30, top: 8, bottom: 44 },
    yAxis: {
      ...{ type: 'category', data: rows.map(({ name }) => name), axisTick: { show: false } },
      axisLine: { lineStyle: { color: MUTED } },
      axisLabel: { color: INK, fontSize: 12, width: 450, overflow: 'truncate' },
    },
    xAxis: { ...logarithmic('of the target'), nameLocation: 'middle', nameGap: 28 },
    series: [
      {
        type: 'boxplot',
        boxWidth: [8, 12],
        data: rows.map(({ ratio, target, isMet }) => ({
          value: [ratio.low, ratio.low, ratio.median, ratio.high, ratio.high].map((one) => one / target),
          itemStyle: { color: 'transparent', borderColor: isMet ? MET : MISSED },
        })),
        markLine: {
          ...{ silent: true, symbol: 'none', label: { show: false }, data: [{ xAxis: 1 }] },
          lineStyle: { color: INK, type: 'solid', width: 1.5 },
        },
      },
      {
        ...{ type: 'scatter', symbol: 'diamond', symbolSize: 10 },
        data: rows.map(({ ratio, target, isMet }, at) => ({
          value: [ratio.median / target, at],
          itemStyle: { color: isMet ? MET : MISSED },
        })),
      },
    ],
  });
}

function logarithmic(unit: string): object {
  return {
    type: 'log',
    name: unit,
    nameTextStyle: { color: MUTED, fontSize: 12 },
    axisLabel: { color: MUTED, fontSize: 11, formatter: (value: number) => brief(value) },
    splitLine: { lineStyle: { color: GRID } },
  };
}

function brief(value: number): string {
  if (value >= 1e6) return `${shown(value / 1e6)} M`;
  return value >= 10_000 ? `${Math.round(value / 1_000)} k` : shown(value);
}

function drawn(height: number, option: EChartsCoreOption): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  chart.setOption({ animation: false, textStyle: { fontFamily: 'inherit' }, ...option });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}
