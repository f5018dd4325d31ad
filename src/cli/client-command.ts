/**
 * What all commands that speak to nodes share: the nodes' addresses, timeouts, data on standard output and everything
 * else on standard error, and an exit code that says what happened.
 */
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { uuid7Bytes } from '../base/uuid-7.ts';
import type { CausewayClient } from '../client/index.ts';
import { isDoorAddress } from '../core/clients/door-address.ts';

export const EXIT_OK = 0;
/** The key is absent, a condition did not hold, a node is not serving, or a row was not imported. */
export const EXIT_NO = 1;
export const EXIT_USAGE = 2;
/** The operation failed, and did not happen. */
export const EXIT_DEFINITE = 3;
/** The operation failed, and may have happened. */
export const EXIT_INDEFINITE = 4;

export const EXIT_HELP = `
Exit code: 0 done; 1 no (absent, condition not met, not all well); 2 wrong
usage; 3 failed and did not happen; 4 failed and may have happened.`;

export const NODES_DEFAULT = '127.0.0.1:50051,127.0.0.1:50052,127.0.0.1:50053';

const TIMEOUT_HELP = 'how long to wait, in milliseconds or with a unit: 500, 30s, 2m';

export interface Output {
  write(text: string | Uint8Array): unknown;
}

/** A command's interface to the outside world; tests pass in their own. */
export interface CommandIo {
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly stdout: Output;
  readonly stderr: Output;
  exit(code: number): void;
}

export interface ClientOptions {
  readonly nodes: string;
  readonly timeout: number;
  readonly json?: boolean;
}

export function nodesOption(): Option {
  return new Option('--nodes <list>', 'host:port of nodes, by comma')
    .env('CAUSEWAY_NODES')
    .default(NODES_DEFAULT, 'the three of `npm start`');
}

export function addClientOptions(command: Command): Command {
  return command
    .addOption(nodesOption())
    .option('--timeout <time>', TIMEOUT_HELP, timeout, 10_000)
    .option('--json', 'print JSON')
    .addHelpText('after', EXIT_HELP);
}

export interface WriteOptions extends ClientOptions {
  readonly operationId?: Uint8Array;
}

export function addWriteOptions(command: Command): Command {
  return addClientOptions(command).option(
    '--operation-id <uuid>',
    'a UUID of version 7; the write is repeated under it until its outcome is known, and done once',
    operationId,
  );
}

function operationId(text: string): Uint8Array {
  const id = uuid7Bytes(text);
  // A UUID of another version would be taken for an id that expired long ago.
  if (id === null) throw new InvalidArgumentError('It must be a UUID of version 7.');
  return id;
}

/** Runs `work` with a client, reports a failure, closes the client, and sets the exit code. */
export async function withClient(
  io: CommandIo,
  options: ClientOptions,
  work: (client: CausewayClient) => Promise<number>,
): Promise<void> {
  // Loaded late: the gRPC library takes longer to load than everything else at startup.
  const { connect, CausewayError } = await import('../client/index.ts');
  const client = connect({ nodes: nodeList(options.nodes), timeoutMs: options.timeout });
  try {
    io.exit(await work(client));
  } catch (error) {
    if (!(error instanceof CausewayError)) throw error;
    const { code, certainty, message } = error;
    if (options.json) printJson(io, { error: { code, certainty, message } });
    io.stderr.write(`${code} (${certainty}): ${message}\n`);
    if (code === 'transport') adviseNobodyThere(io, options.nodes);
    io.exit(certainty === 'definite' ? EXIT_DEFINITE : EXIT_INDEFINITE);
  } finally {
    client.close();
  }
}

/** When nobody answered: suggests what to check. */
export function adviseNobodyThere(io: CommandIo, nodes: string): void {
  io.stderr.write(
    nodes === NODES_DEFAULT
      ? 'Is the cluster up (npm start)? These are the usual addresses.\n' +
          'Others are named by --nodes HOST:PORT,... or CAUSEWAY_NODES\n'
      : "A node's address has the port for gRPC, not that for Redis or HTTP.\n",
  );
}

/** `option`: where the list was given, for the message. */
export function nodeList(text: string, option = '--nodes'): string[] {
  const nodes = text.split(',').map((node) => node.trim());
  for (const node of nodes)
    if (!isDoorAddress(node)) throw new UsageError(`${option}: "${node}" is not host:port`);
  return nodes;
}

export function printJson(io: CommandIo, value: unknown): void {
  io.stdout.write(`${JSON.stringify(value)}\n`);
}

/** A value as members of a JSON object: as text if it is text, else in base64. */
export function valueFields(value: Uint8Array): { value: string } | { valueBase64: string } {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes)
    ? { value: text }
    : { valueBase64: bytes.toString('base64') };
}

/** Parses the number of an option; commander names the option if it is refused. */
export function wholeNumber(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number))
    throw new InvalidArgumentError('It must be a whole number, 0 or more.');
  return number;
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Parses the time of an option: milliseconds, or a whole number with a unit (`90s`, `15m`, `12h`, `7d`). */
export function milliseconds(text: string): number {
  const [, digits, unit = 'ms'] = /^(\d+)(ms|s|m|h|d)?$/.exec(text) ?? [];
  const ms = Number(digits) * UNIT_MS[unit]!;
  if (!Number.isSafeInteger(ms))
    throw new InvalidArgumentError('It must be milliseconds, or a number with a unit: 90s, 15m, 12h, 7d.');
  return ms;
}

/** The longest delay of a timer, in milliseconds. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** Parses a time limit. */
export function timeout(text: string): number {
  const ms = milliseconds(text);
  if (ms < 1 || ms > TIMEOUT_MS_MAX) throw new InvalidArgumentError('It must be from 1 ms to 24 days.');
  return ms;
}

/** An option that may be given several times. */
export function repeatable(flags: string, description: string): Option {
  return new Option(flags, `${description}; repeatable`)
    .argParser((value: string, before: readonly string[]) => [...before, value])
    .default([], 'none');
}

/** Wrong arguments: reported in one line, with the exit code for wrong usage. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
