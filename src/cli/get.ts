/** `causeway get KEY`: the value on standard output, byte for byte. */
import type { Command } from 'commander';
import { addClientOptions, EXIT_NO, EXIT_OK, printJson, valueFields, withClient } from './client-command.ts';
import type { ClientOptions, CommandIo } from './client-command.ts';

export function getCommand(program: Command, io: CommandIo): void {
  const command = program.command('get').description('print the value of a key').argument('<key>');
  addClientOptions(command).action((key: string, options: ClientOptions) =>
    withClient(io, options, async (client) => {
      const entry = await client.getWithMeta(key);
      if (options.json) {
        if (entry === undefined) printJson(io, { key, found: false });
        else printJson(io, { key, found: true, ...entry, value: undefined, ...valueFields(entry.value) });
      } else if (entry === undefined) {
        io.stderr.write('absent\n');
      } else {
        io.stdout.write(entry.value);
        // A prompt should not follow on the same line; a file or a pipe gets the value and nothing else.
        if ((io.stdout as { isTTY?: boolean }).isTTY) io.stdout.write('\n');
      }
      return entry === undefined ? EXIT_NO : EXIT_OK;
    }),
  );
}
