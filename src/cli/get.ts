/** `causeway get KEY`: the value on standard output, byte for byte. */
import type { Command } from 'commander';
import type { Found } from '../client/index.ts';
import { addClientOptions, EXIT_NO, EXIT_OK, printJson, valueFields, withClient } from './client-command.ts';
import type { ClientOptions, CommandIo } from './client-command.ts';

interface GetOptions extends ClientOptions {
  readonly allowStale?: boolean;
}

export function getCommand(program: Command, io: CommandIo): void {
  const command = program
    .command('get')
    .description('print the value of a key')
    .argument('<key>')
    .option('--allow-stale', 'where no node at hand may serve the key, take an old answer that says so');
  addClientOptions(command).action((key: string, options: GetOptions) =>
    withClient(io, options, async (client) => {
      const found = await client.find(key, { allowStale: options.allowStale === true });
      if (options.json) printJson(io, jsonOf(key, found));
      else show(io, found);
      return found.entry === undefined ? EXIT_NO : EXIT_OK;
    }),
  );
}

function jsonOf(key: string, { entry, stale, staleMs }: Found): object {
  if (entry === undefined) return { key, found: false, stale, staleMs };
  return { key, found: true, ...entry, value: undefined, ...valueFields(entry.value) };
}

function show(io: CommandIo, { entry, stale, staleMs }: Found): void {
  if (entry === undefined) {
    io.stderr.write('absent\n');
  } else {
    io.stdout.write(entry.value);
    // On a terminal a newline follows, so that the prompt starts on its own line; a file or a pipe gets only the value.
    if ((io.stdout as { isTTY?: boolean }).isTTY) io.stdout.write('\n');
  }
  if (stale) io.stderr.write(`stale: up to ${(staleMs / 1_000).toFixed(1)} s old\n`);
}
