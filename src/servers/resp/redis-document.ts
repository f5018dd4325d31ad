/**
 * The parts of docs/REDIS.md that are generated from the tables of commands and errors. A test keeps the page up to
 * date.
 */
import { certaintyOf, ERROR_TABLE } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { ABSENT_GROUPS } from './absent-commands.ts';
import type { Command, Group } from './command.ts';
import { COMMANDS } from './command-table.ts';
import { errorText } from './error-replies.ts';

const TITLES: Readonly<Record<Group, string>> = {
  string: 'Values',
  generic: 'Keys',
  transactions: 'Transactions',
  connection: 'Connections',
  pubsub: 'Channels',
  server: 'The node',
  cluster: 'The cluster',
};

/** Only the tables; the text around them is written by hand. */
export function commandTables(): string {
  const groups = Object.keys(TITLES) as Group[];
  return groups.map((group) => `### ${TITLES[group]}\n\n${tableOf(group)}`).join('\n\n');
}

function tableOf(group: Group): string {
  const rows = COMMANDS.commands.filter((command) => command.group === group).flatMap(rowsOf);
  return ['| command | as Redis | differences |', '|---|---|---|', ...rows].join('\n');
}

function rowsOf(command: Command): string[] {
  if (command.subcommands === null) return [rowOf(command)];
  const own = command.name === 'command' ? [rowOf(command)] : [];
  return [...own, ...[...command.subcommands.values()].map(rowOf)];
}

function rowOf({ name, differs }: Command): string {
  return `| \`${shownName(name)}\` | ${differs === '' ? 'full' : 'with differences'} | ${differs.replaceAll('|', '\\|')} |`;
}

/** The name as one would type it. */
function shownName(name: string): string {
  return name.toUpperCase().replace('|', ' ');
}

function absentTable(): string {
  const rows = ABSENT_GROUPS.map(({ reason, names }) => {
    return `| ${names.map((name) => `\`${shownName(name)}\``).join(', ')} | ${reason} |`;
  });
  return ['| commands | why |', '|---|---|', ...rows].join('\n');
}

export function errorTable(): string {
  const rows = (Object.keys(ERROR_TABLE) as ErrorCode[]).map((code) => {
    const text = errorText({ code, message: '...' });
    return `| \`${code}\` | ${certaintyOf(code)} | \`-${text}\` |`;
  });
  return ['| code | certainty | what a Redis client reads |', '|---|---|---|', ...rows].join('\n');
}

/** Returns the page with each generated part, between its two markers, made anew. */
export function withTables(page: string): string {
  const parts = { commands: commandTables(), absent: absentTable(), errors: errorTable() };
  let made = page;
  for (const [name, text] of Object.entries(parts)) {
    const between = new RegExp(`(<!-- ${name}: generated -->\\n)[^]*?(<!-- ${name}: end -->)`);
    if (!between.test(made)) throw new Error(`the page has no place for ${name}`);
    made = made.replace(between, (_whole, begin: string, end: string) => `${begin}\n${text}\n\n${end}`);
  }
  return made;
}
