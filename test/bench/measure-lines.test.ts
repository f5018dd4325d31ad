/** The output of a benchmark fits a terminal of 80 columns, whatever is measured. */
import { expect, test } from 'vitest';
import { measureLines } from '../../bench/report.ts';

const measure = { part: 'peers', value: 1.159, unit: 'x', target: { atLeast: 2 } };

test('a short name with its figure and its target is one line', () => {
  expect(measureLines({ ...measure, name: 'durable put' })).toEqual([
    `  ${'durable put'.padEnd(40)}      1.16 x         >= 2  MISSED`,
  ]);
});

test('a long name stands above its figure, and what else is to be known below: no line is wider than 80', () => {
  const name =
    'durable SET, PostgreSQL committed and on three disks, 512 in flight / ioredis + pg written by hand';
  const note =
    '(1.16, of pairs from 1.02 to 1.31; 12,020/s beside 10,338/s, in which both sync before they answer)';
  const lines = measureLines({ ...measure, name, note });
  expect(lines.every((line) => line.length <= 80)).toBe(true);
  expect(lines.map((line) => line.trim()).join(' ')).toBe(`${name} 1.16 x         >= 2  MISSED ${note}`);
});
