/**
 * The options that give a command a node's settings. They are those of `causeway node`, so that the same command line
 * can be checked.
 */
import type { Command } from 'commander';
import type { ClusterTold } from '../config/join.ts';
import type { ConfigSources } from '../config/config.ts';
import { repeatable, UsageError } from './client-command.ts';

export interface SettingsOptions {
  readonly config?: string;
  readonly name?: string;
  readonly dataDir?: string;
  readonly set: readonly string[];
  readonly join?: string;
  readonly replace?: string;
}

export function addSettingsOptions(command: Command): Command {
  return command
    .option('--config <file>', 'settings in YAML or JSON')
    .option('--name <name>', 'which of the members this node is (node.name)')
    .option('--data-dir <path>', 'where its store lies (node.dataDir)')
    .option(
      '--join <address>',
      'become a member of the cluster that a node at host:port belongs to (node.join)',
    )
    .option('--replace <name>', 'with --join: take the place of a member that is lost (node.replace)')
    .addOption(repeatable('--set <path=value>', 'any setting, such as grpc.port=50052'))
    .addHelpText(
      'after',
      '\nSettings are also read from CAUSEWAY_..., DATABASE_URL and LEGACY_URL:\ndocs/CONFIGURATION.md',
    );
}

/** Settings that have an option of their own. */
const OPTION_OF = {
  'node.name': 'name',
  'node.dataDir': 'dataDir',
  'node.join': 'join',
  'node.replace': 'replace',
} as const;

export function flagsOf(options: SettingsOptions): Record<string, string> {
  const flags: Record<string, string> = {};
  for (const setting of options.set) {
    const equals = setting.indexOf('=');
    if (equals < 1) throw new UsageError(`--set ${setting.slice(0, 40)}: must be path=value`);
    flags[setting.slice(0, equals)] = setting.slice(equals + 1);
  }
  for (const [path, option] of Object.entries(OPTION_OF)) {
    const text = options[option];
    if (text !== undefined) flags[path] = text;
  }
  return flags;
}

/** The flag that gave a setting, as the user types it. */
export function flagOf(options: SettingsOptions, path: string): string {
  const option = Object.hasOwn(OPTION_OF, path) ? OPTION_OF[path as keyof typeof OPTION_OF] : undefined;
  if (option === undefined || options[option] === undefined) return '--set';
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/**
 * The settings without asking anybody. For a node that joins, what the cluster would report is not known; placeholders
 * stand in for as many members as there may be, so that only the node's own settings can be at fault.
 */
export async function sourcesOf(
  options: SettingsOptions,
  env: NodeJS.ProcessEnv,
): Promise<{ sources: ConfigSources; joins: string | undefined }> {
  const { joinOf } = await import('../config/config.ts');
  const sources = { file: options.config, env, flags: flagsOf(options) };
  const wish = joinOf(sources);
  // A founder has the members in its own settings.
  const joins = wish?.isFounder === true ? undefined : wish?.address;
  return { sources: joins === undefined ? sources : { ...sources, told: UNASKED }, joins };
}

const OWNERS_MAX = 9;
const UNASKED: ClusterTold = {
  layer: {},
  members: Array.from({ length: OWNERS_MAX }, (_, at) => ({
    name: `unasked-${at}`,
    address: `unasked-${at}:1`,
  })),
};
