/** HELP for a container command: its subcommands, in the format of Redis. */
import type { CommandBody } from '../command.ts';

export function helpOf(container: string, calls: readonly string[]): CommandBody {
  return {
    run: ({ out }) => {
      const lines = [
        `${container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`,
        ...calls,
        'HELP',
        '    Prints this help.',
      ];
      out.array(lines.length);
      for (const line of lines) out.simple(line);
    },
    differs: 'Names the subcommands that are here.',
  };
}
