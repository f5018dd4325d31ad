/**
 * `causeway doctor`: is this machine, with these settings, fit to run a node, and are PostgreSQL and the legacy API fit
 * for it? The parts are checked separately, each with a deadline, so that one that hangs does not hide the others.
 */
import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { EXIT_DEFINITE, EXIT_NO, EXIT_OK, printJson, repeatable, timeout } from './client-command.ts';
import type { CommandIo } from './client-command.ts';
import { examine } from './doctor-checks.ts';
import type { Checked } from './doctor-checks.ts';
import { fault, note } from './doctor-finding.ts';
import type { Finding, Level } from './doctor-finding.ts';
import { TERMINAL_COLUMNS, wrapped } from '../base/wrapped.ts';
import { columnsOf } from './fitted.ts';
import { waitingLine } from './progress.ts';
import type { WaitingLine } from './progress.ts';
import { addSettingsOptions, flagsOf, sourcesOf } from './settings-options.ts';
import type { SettingsOptions } from './settings-options.ts';
import { printable } from './table.ts';

interface DoctorOptions extends SettingsOptions {
  readonly json?: boolean;
  readonly timeout: number;
  readonly legacyKey: readonly string[];
}

const TIMEOUT_MS_DEFAULT = 10_000;
const EXITS = `
Exit code: 0 nothing worse than notes; 1 warnings; 2 wrong usage; 3 faults: a
node would not start, or not keep its promises.`;

export function doctorCommand(
  program: Command,
  io: CommandIo,
  env = process.env,
  waiting = (): WaitingLine => waitingLine(io.stderr),
): void {
  const command = program
    .command('doctor')
    .description('check settings, machine, PostgreSQL and legacy API of a node, and say what to change')
    .addOption(repeatable('--legacy-key <key>', 'a key that the legacy API has, best one with a slash'))
    .option(
      '--timeout <time>',
      'for each part: milliseconds, or with a unit (30s)',
      timeout,
      TIMEOUT_MS_DEFAULT,
    )
    .option('--json', 'print JSON')
    .addHelpText('after', EXITS);
  addSettingsOptions(command).action(async (options: DoctorOptions) => {
    const began = performance.now();
    const { config, findings } = await readSettings(options, env);
    const parts: Checked[] = [{ part: 'Settings', findings }];
    const { timeout: timeoutMs, legacyKey: legacyKeys } = options;
    const line = waiting();
    const begin = (part: string): void => line.of(`${part}: being looked at`);
    try {
      parts.push(...(await examine({ config, env, timeoutMs, legacyKeys, begin })));
    } finally {
      line.end();
    }
    const seconds = (performance.now() - began) / 1_000;
    const columns = Math.min(columnsOf(io.stdout) ?? TERMINAL_COLUMNS, TERMINAL_COLUMNS);
    if (options.json === true) printJson(io, asData(parts));
    else io.stdout.write(`${reportLines(parts, seconds, columns).join('\n')}\n`);
    io.exit(exitCode(parts));
  });
}

async function readSettings(
  options: DoctorOptions,
  env: NodeJS.ProcessEnv,
): Promise<{ config: Config | null; findings: Finding[] }> {
  const { loadConfig, ConfigError } = await import('../config/config.ts');
  const { sources, joins } = await sourcesOf(options, env);
  try {
    const { config, warnings } = loadConfig(sources);
    const findings = warnings.map((text) => note(text));
    if (joins !== undefined) findings.push(note(`the cluster at ${joins} was not asked for its settings`));
    return { config, findings: [{ level: 'ok', text: `usable, for ${config.node.name}` }, ...findings] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (await areNone(options, env))
      return {
        config: null,
        findings: [note('none were given: only the machine was looked at', NONE_GIVEN)],
      };
    const change = 'docs/CONFIGURATION.md has every setting';
    return { config: null, findings: error.faults.map((text) => fault(text, change)) };
  }
}

const NONE_GIVEN = 'name the file of the node by --config, or give its settings as causeway node takes them';

async function areNone(options: DoctorOptions, env: NodeJS.ProcessEnv): Promise<boolean> {
  if (options.config !== undefined || Object.keys(flagsOf(options)).length > 0) return false;
  const { environmentLayer } = await import('../config/layers.ts');
  return environmentLayer(env).names.size === 0;
}

const RANK: Readonly<Record<Level, number>> = { ok: 0, note: 1, warning: 2, fault: 3 };

export function exitCode(parts: readonly Checked[]): number {
  const worst = Math.max(0, ...parts.flatMap(({ findings }) => findings.map(({ level }) => RANK[level])));
  if (worst >= RANK.fault) return EXIT_DEFINITE;
  return worst >= RANK.warning ? EXIT_NO : EXIT_OK;
}

const LEVEL_WIDTH = 9;

/** Text within `columns`. What to change is shown below the finding, and only once if several findings share it. */
export function reportLines(
  parts: readonly Checked[],
  seconds: number,
  columns = TERMINAL_COLUMNS,
): string[] {
  const lines: string[] = [];
  for (const { part, findings } of parts) {
    lines.push(part);
    for (const [at, { level, text, change }] of findings.entries()) {
      lines.push(...wrapped(`  ${level.padEnd(LEVEL_WIDTH)}`, printable(text), undefined, columns));
      if (change !== undefined && findings[at + 1]?.change !== change)
        lines.push(...wrapped(`  ${' '.repeat(LEVEL_WIDTH)}-> `, printable(change), undefined, columns));
    }
    lines.push('');
  }
  const all = parts.flatMap(({ findings }) => findings);
  const counts = (['fault', 'warning', 'note'] as const).map((level) => {
    const count = all.filter((finding) => finding.level === level).length;
    return `${count} ${level}${count === 1 ? '' : 's'}`;
  });
  lines.push(`${counts.join(', ')}; ${all.length} findings in ${seconds.toFixed(1)} s`);
  return lines;
}

function asData(parts: readonly Checked[]): object {
  const findings = parts.flatMap(({ part, findings: each }) =>
    each.map((finding) => ({ part: part.toLowerCase(), ...finding })),
  );
  const worst = findings.reduce<Level>((most, { level }) => (RANK[level] > RANK[most] ? level : most), 'ok');
  return { worst, findings };
}
