/**
 * `causeway doctor`: is this machine, with these settings, fit to run a node, and are PostgreSQL and the legacy API fit
 * for it? The parts are checked separately, each with a deadline, so that one that hangs does not hide the others.
 */
import type { Command } from 'commander';
import { EXIT_DEFINITE, EXIT_NO, EXIT_OK, printJson, repeatable, timeout } from './client-command.ts';
import type { CommandIo } from './client-command.ts';
import { examine } from './doctor-checks.ts';
import type { Checked } from './doctor-checks.ts';
import type { Level } from './doctor-finding.ts';
import { examineSettings } from './doctor-settings.ts';
import { TERMINAL_COLUMNS, wrapped } from '../base/wrapped.ts';
import { columnsOf } from './fitted.ts';
import { waitingLine } from './progress.ts';
import type { WaitingLine } from './progress.ts';
import { addSettingsOptions } from './settings-options.ts';
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
    const line = waiting();
    const begin = (part: string): void => line.of(`${part}: being looked at`);
    const parts: Checked[] = [];
    const { timeout: timeoutMs, legacyKey: legacyKeys } = options;
    try {
      begin('the settings');
      const { config, members, findings } = await examineSettings(options, env);
      parts.push({ part: 'Settings', findings });
      parts.push(...(await examine({ config, members, env, timeoutMs, legacyKeys, begin })));
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
