/** `causeway del KEY`. Deleting an absent key succeeds, too: what counts is that it is absent afterwards. */
import type { Command } from 'commander';
import { addWriteOptions, EXIT_NO, EXIT_OK, printJson, wholeNumber, withClient } from './client-command.ts';
import type { CommandIo, WriteOptions } from './client-command.ts';

export function delCommand(program: Command, io: CommandIo): void {
  const command = program
    .command('del')
    .description('delete a key')
    .argument('<key>')
    .option('--if-version <version>', 'only if the key has this version', wholeNumber);
  addWriteOptions(command).action((key: string, options: WriteOptions & { readonly ifVersion?: number }) =>
    withClient(io, options, async (client) => {
      const { operationId } = options;
      if (options.ifVersion === undefined) {
        const version = await client.delete(key, { operationId });
        if (options.json) printJson(io, { key, version });
        return EXIT_OK;
      }
      const result = await client.compareAndDelete(key, { version: options.ifVersion }, { operationId });
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
