/**
 * `causeway up`, which is what `npm start` runs: a whole cluster on this machine (PostgreSQL, a sample legacy API, the
 * nodes). The code that runs it is loaded only when needed.
 */
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { LEGACY_PORT_DEFAULT } from '../supervisor/sample-legacy.ts';
import { portNumber } from './legacy-sample.ts';
import type { UpOptions } from './up-run.ts';

const NODE_COUNT_MAX = 9;

export function upCommand(program: Command): void {
  program
    .command('up')
    .description('run a whole cluster on this machine: PostgreSQL, a sample legacy API and the nodes')
    .option('--nodes <count>', `number of nodes, 1 to ${NODE_COUNT_MAX} (default: 3)`, nodeCount)
    .option('--data-dir <path>', 'where everything is kept', '.causeway')
    .option('--grpc-port <port>', 'gRPC port of the first node; the others follow', portNumber, 50_051)
    .option('--http-port <port>', 'HTTP port of the first node; the others follow', portNumber, 8081)
    .option(
      '--redis-port <port>',
      'port for Redis clients of the first node; the others follow',
      portNumber,
      7001,
    )
    .option('--postgres-port <port>', 'port of PostgreSQL', portNumber, 54_320)
    .option('--legacy-port <port>', 'port of the sample legacy API', portNumber, LEGACY_PORT_DEFAULT)
    .option('--json', 'print events as JSON, one a line')
    .addHelpText('after', ENVIRONMENT_HELP)
    .action(async (options: Omit<UpOptions, 'entry'>) => {
      const { runUp } = await import('./up-run.ts');
      const { DATABASE_URL, LEGACY_URL, PG_BIN } = process.env;
      const given = { databaseUrl: DATABASE_URL, legacyUrl: LEGACY_URL, pgBin: PG_BIN };
      process.exit(await runUp({ ...options, ...given, entry: resolve(process.argv[1] ?? '') }));
    });
}

const ENVIRONMENT_HELP = `
Environment:
  DATABASE_URL  use this PostgreSQL instead of starting one, or 'none' for no
                database
  LEGACY_URL    use this legacy REST API (a base URL, or a template with {key}),
                or 'none' for no legacy
  PG_BIN        directory of other PostgreSQL programs (initdb, postgres) to
                start`;

function nodeCount(text: string): number {
  if (!/^[1-9]$/.test(text)) throw new InvalidArgumentError(`not a number from 1 to ${NODE_COUNT_MAX}`);
  return Number(text);
}
