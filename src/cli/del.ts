/** `causeway del KEY`. Deleting an absent key is done too: what counts is that it is absent afterwards. */
import type { Command } from 'commander';
import { addClientOptions, EXIT_NO, EXIT_OK, printJson, wholeNumber, withClient } from './client-command.ts';
import type { ClientOptions, CommandIo } from './client-command.ts';

export function delCommand(program: Command, io: CommandIo): void {
  const command = program
    .command('del')
    .description('delete a key')
    .argument('<key>')
    .option('--if-version <version>', 'only if the key has this version', wholeNumber);
  addClientOptions(command).action((key: string, options: ClientOptions & { readonly ifVersion?: number }) =>
    withClient(io, options, async (client) => {
      if (options.ifVersion === undefined) {
        const version = await client.delete(key);
        if (options.json) printJson(io, { key, version });
        return EXIT_OK;
      }
      const result = await client.compareAndDelete(key, { version: options.ifVersion });
      if (options.json) {
        const outcome = result.applied
          ? { version: result.version }
          : { currentVersion: result.current?.version ?? null };
        printJson(io, { key, applied: result.applied, ...outcome });
      }
      if (!result.applied) {
        const stands = result.current ? `has version ${result.current.version}` : 'is absent';
        io.stderr.write(`not deleted: the key ${stands}\n`);
      }
      return result.applied ? EXIT_OK : EXIT_NO;
    }),
  );
}
