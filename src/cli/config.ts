/** `causeway config`: shows what a node would make of its settings, without starting one or asking anybody. */
import { basename } from 'node:path';
import type { Command } from 'commander';
import type { Origin, ShownSetting } from '../config/origins.ts';
import { EXIT_NO, EXIT_OK, printJson } from './client-command.ts';
import type { CommandIo } from './client-command.ts';
import { printLines } from './fitted.ts';
import { addSettingsOptions, flagOf, sourcesOf } from './settings-options.ts';
import type { SettingsOptions } from './settings-options.ts';
import { printable } from './table.ts';

interface ConfigOptions extends SettingsOptions {
  readonly json?: boolean;
}

interface ShowOptions extends ConfigOptions {
  readonly given?: boolean;
}

export function configCommand(program: Command, io: CommandIo, env = process.env): void {
  const config = program.command('config').description('check and show the settings of a node');
  const check = config
    .command('check')
    .description('name everything that is wrong with the settings; exit code 1 if something is')
    .option('--json', 'print JSON');
  addSettingsOptions(check).action((options: ConfigOptions) => checkSettings(io, options, env));
  const show = config
    .command('show')
    .description('show the settings in effect, and where each comes from; secrets are hidden')
    .option('--given', 'only those that were given')
    .option('--json', 'print JSON');
  addSettingsOptions(show).action((options: ShowOptions) => showSettings(io, options, env));
  config
    .command('schema')
    .description('print the JSON Schema of the file of settings')
    .action(async () => {
      const { configSchema } = await import('../config/schema.ts');
      io.stdout.write(`${JSON.stringify(configSchema(), null, 2)}\n`);
      io.exit(EXIT_OK);
    });
}

async function checkSettings(io: CommandIo, options: ConfigOptions, env: NodeJS.ProcessEnv): Promise<void> {
  const { loadConfig, ConfigError } = await import('../config/config.ts');
  const { secretFaults } = await import('../config/secrets.ts');
  const { sources, joins } = await sourcesOf(options, env);
  let faults: readonly string[] = [];
  let warnings: readonly string[] = [];
  try {
    const loaded = loadConfig(sources);
    warnings = loaded.warnings;
    faults = secretFaults(loaded.config, env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    faults = [...error.faults, ...(error.rest === null ? [] : secretFaults(error.rest, env))];
  }
  if (options.json === true) {
    printJson(io, { usable: faults.length === 0, faults: faults.map(asData), warnings });
  } else {
    printLines(io.stdout, faults.map(printable));
    for (const warning of warnings) io.stderr.write(`warning: ${printable(warning)}\n`);
    if (joins !== undefined)
      io.stderr.write(
        `the cluster at ${joins} was not asked: what it tells a node that joins is not checked\n`,
      );
    const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
    io.stdout.write(faults.length === 0 ? 'the settings are usable\n' : `${count}\n`);
  }
  io.exit(faults.length === 0 ? EXIT_OK : EXIT_NO);
}

/** Every fault begins with the path of its setting, or with the file and the line. */
function asData(fault: string): { path: string; message: string } {
  const colon = fault.indexOf(': ');
  return { path: fault.slice(0, colon), message: fault.slice(colon + 2) };
}

async function showSettings(io: CommandIo, options: ShowOptions, env: NodeJS.ProcessEnv): Promise<void> {
  const { ConfigError } = await import('../config/config.ts');
  const { settingsInEffect } = await import('../config/origins.ts');
  const { sources, joins } = await sourcesOf(options, env);
  let all: ShownSetting[];
  try {
    all = settingsInEffect(sources);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    io.stderr.write(`${error.message}\n`);
    return io.exit(EXIT_NO);
  }
  const shown = all
    // The placeholder members of a cluster that was not asked are not anybody's settings.
    .map((setting) =>
      setting.origin.kind === 'cluster' ? { ...setting, value: `told by ${joins}` } : setting,
    )
    .filter(({ origin }) => options.given !== true || origin.kind !== 'default');
  if (options.json === true) printJson(io, { file: options.config ?? null, settings: shown });
  else io.stdout.write(`${settingLines(shown, (origin) => originText(origin, options)).join('\n')}\n`);
  io.exit(EXIT_OK);
}

/** The value comes last and is never cut: a list of members may be long. */
export function settingLines(
  settings: readonly ShownSetting[],
  textOf: (origin: Origin) => string,
): string[] {
  const rows = settings.map(({ path, value, origin }) => [path, textOf(origin), valueText(value)] as const);
  const widths = [0, 1].map((at) => Math.max(...rows.map((row) => row[at]!.length), 7));
  const all = [['SETTING', 'FROM', 'VALUE'] as const, ...rows];
  return all.map(([path, from, value]) =>
    printable(`${path.padEnd(widths[0]!)}  ${from.padEnd(widths[1]!)}  ${value}`.trimEnd()),
  );
}

function originText(origin: Origin, options: SettingsOptions): string {
  switch (origin.kind) {
    case 'default':
      return 'default';
    case 'file':
      return `${basename(options.config!)}:${origin.line}`;
    case 'variable':
      return origin.name;
    case 'flag':
      return flagOf(options, origin.path);
    case 'cluster':
      return 'the cluster';
  }
}

function valueText(value: unknown): string {
  if (value === undefined) return '(not set)';
  if (value === null) return 'none';
  if (value === '') return "''";
  if (!Array.isArray(value)) return typeof value === 'string' ? value : JSON.stringify(value);
  return value.length === 0 ? '[]' : value.map(itemText).join(' ');
}

/**
 * A member as an environment variable takes it, `node-1=10.0.0.1:50051`, with its zone and host; anything else as JSON.
 */
function itemText(item: unknown): string {
  const { name, address, ...rest } = item as Record<string, unknown>;
  if (typeof name !== 'string' || typeof address !== 'string') return JSON.stringify(item);
  const place = Object.entries(rest).filter(([, value]) => value !== '');
  const words = place.map(([what, value]) => `${what} ${String(value)}`).join(', ');
  return `${name}=${address}${words === '' ? '' : ` (${words})`}`;
}
