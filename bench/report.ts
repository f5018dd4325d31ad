/**
 * The results, as a table for people and as JSON for comparisons. A figure means nothing without the machine that it
 * was measured on, so both include the facts about the machine.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, freemem, loadavg, platform, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { TERMINAL_COLUMNS, wrapped } from '../src/base/wrapped.ts';

export interface Measure {
  readonly part: string;
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The target in the design; undefined for a figure that only explains another. */
  readonly target?: { readonly atLeast: number } | { readonly atMost: number } | undefined;
  /** What else one should know about it. */
  readonly note?: string;
}

export interface MachineFacts {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGb: number;
  readonly memoryFreeGb: number;
  readonly platform: string;
  readonly node: string;
  /** The load average of the last minute before the run: what else was going on. */
  readonly loadBefore: number;
}

const NAME_COLUMNS = 40;
const VALUE_COLUMNS = 10;
const UNIT_COLUMNS = 10;
const GIGABYTE = 1024 ** 3;

export function machineFacts(): MachineFacts {
  return {
    cores: cpus().length,
    cpu: cpus()[0]?.model ?? 'unknown',
    memoryGb: round(totalmem() / GIGABYTE, 1),
    memoryFreeGb: round(freemem() / GIGABYTE, 1),
    platform: platform(),
    node: process.version,
    loadBefore: round(loadavg()[0] ?? 0, 2),
  };
}

export function isMet({ value, target }: Measure): boolean {
  if (target === undefined) return true;
  return 'atLeast' in target ? value >= target.atLeast : value <= target.atMost;
}

export function headLines(facts: MachineFacts): string {
  return [
    `${facts.cores} cores (${facts.cpu}), ${facts.memoryGb} GB, Node ${facts.node} on ${facts.platform}`,
    `load before the run ${facts.loadBefore}; values of 100 bytes; PostgreSQL with fsync and`,
    'synchronous_commit on; every process of the run is on this machine',
  ].join('\n');
}

/** One line, or several if it would be wider than a terminal: a long name goes above its figure, the note below. */
export function measureLines(measure: Measure): string[] {
  const { name, value, unit, target, note = '' } = measure;
  const wanted = target === undefined ? '' : wantedText(target) + (isMet(measure) ? '' : '  MISSED');
  const figure = `${shown(value).padStart(VALUE_COLUMNS)} ${unit.padEnd(UNIT_COLUMNS)}${wanted}`;
  const whole = `  ${name.padEnd(NAME_COLUMNS)}${figure}  ${note}`.trimEnd();
  if (name.length <= NAME_COLUMNS && whole.length <= TERMINAL_COLUMNS) return [whole];
  const named =
    name.length <= NAME_COLUMNS
      ? [`  ${name.padEnd(NAME_COLUMNS)}${figure}`.trimEnd()]
      : [...wrapped('  ', name), `  ${' '.repeat(NAME_COLUMNS)}${figure}`.trimEnd()];
  return note === '' ? named : [...named, ...wrapped('    ', note)];
}

function wantedText(target: NonNullable<Measure['target']>): string {
  return 'atLeast' in target ? `>= ${shown(target.atLeast)}` : `<= ${shown(target.atMost)}`;
}

export function shown(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US');
  return String(round(value, Math.abs(value) < 10 ? 2 : 1));
}

export function round(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}

/** Writes `BASE.json`; returns its path. */
export function writeResults(
  base: string,
  results: {
    readonly at: string;
    readonly label: string;
    readonly facts: MachineFacts;
    readonly quick: boolean;
    readonly measures: readonly Measure[];
  },
): string {
  mkdirSync(dirname(base), { recursive: true });
  const path = `${base}.json`;
  writeFileSync(path, `${JSON.stringify(results, null, 2)}\n`);
  return path;
}
