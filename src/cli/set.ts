/**
 * `causeway set KEY [VALUE]`: without a value, or with `-`, the value is read from standard input, byte for byte. After
 * `--` a value is taken literally, even `-` or one that begins with it.
 */
import type { Command } from 'commander';
import { VALUE_BYTES_MAX } from '../core/limits.ts';
import {
  addWriteOptions,
  EXIT_NO,
  EXIT_OK,
  milliseconds,
  printJson,
  UsageError,
  valueFields,
  wholeNumber,
  withClient,
} from './client-command.ts';
import type { CommandIo, WriteOptions } from './client-command.ts';

interface SetOptions extends WriteOptions {
  readonly ttl: number;
  readonly contentType?: string;
  readonly ifAbsent?: boolean;
  readonly ifVersion?: number;
}

export function setCommand(program: Command, io: CommandIo): void {
  const command = program
    .command('set')
    .description('write the value of a key; done when it is durable')
    .argument('<key>')
    .argument('[value]', "without it, or with '-': standard input; behind '--' any text")
    .option(
      '--ttl <time>',
      'how long it is kept: milliseconds, or with a unit: 90s, 15m, 7d; 0: for ever',
      milliseconds,
      0,
    )
    .option('--content-type <type>', 'what the value is, such as application/json: kept with it')
    .option('--if-absent', 'only if the key is absent')
    .option('--if-version <version>', 'only if the key has this version', wholeNumber);
  addWriteOptions(command).action(async (key: string, given: string | undefined, options: SetOptions) => {
    if (options.ifAbsent && options.ifVersion !== undefined) {
      throw new UsageError('--if-absent and --if-version exclude each other');
    }
    const { operationId, contentType } = options;
    const writing = { ttlMs: options.ttl, contentType, operationId };
    const isRead = given === undefined || (given === '-' && !standsBehindDashes(program));
    if (isRead && (io.stdin as { isTTY?: boolean }).isTTY === true)
      io.stderr.write('The value, and Ctrl-D at its end:\n');
    const value = isRead ? await readAll(io.stdin) : given;
    await withClient(io, options, async (client) => {
      if (!options.ifAbsent && options.ifVersion === undefined) {
        const version = await client.set(key, value, writing);
        if (options.json) printJson(io, { key, version });
        return EXIT_OK;
      }
      const expected = options.ifVersion === undefined ? 'absent' : { version: options.ifVersion };
      const result = await client.compareAndSet(key, expected, value, writing);
      if (result.applied) {
        if (options.json) printJson(io, { key, applied: true, version: result.version });
        return EXIT_OK;
      }
      const { current } = result;
      if (options.json) {
        const shown = current && { version: current.version, ...valueFields(current.value) };
        printJson(io, { key, applied: false, current: shown ?? null });
      }
      io.stderr.write(`not written: the key ${current ? `has version ${current.version}` : 'is absent'}\n`);
      return EXIT_NO;
    });
  });
}

/**
 * Whether the last word follows `--` and may thus look like an option. Commander has all words, but not in its types.
 */
function standsBehindDashes(program: Command): boolean {
  const { rawArgs } = program as unknown as { readonly rawArgs: readonly string[] };
  const dashes = rawArgs.indexOf('--');
  return dashes >= 0 && dashes < rawArgs.length - 1;
}

async function readAll(input: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    bytes += chunk.length;
    if (bytes > VALUE_BYTES_MAX) throw new UsageError(`the value has more than ${VALUE_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
