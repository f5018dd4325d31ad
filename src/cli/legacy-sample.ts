/** `causeway legacy-sample`: runs the sample legacy REST API until it is stopped. */
import { type Command, InvalidArgumentError } from 'commander';
import {
  createSampleLegacy,
  LEGACY_HOST,
  LEGACY_PORT_DEFAULT,
  listenSampleLegacy,
} from '../supervisor/sample-legacy.ts';
import { reasonOf } from '../base/reason-of.ts';
import { codeOf } from '../supervisor/start-error.ts';
import { watchParent } from '../supervisor/watch-parent.ts';

interface LegacySampleOptions {
  readonly host: string;
  readonly port: number;
}

export function legacySampleCommand(program: Command): void {
  program
    .command('legacy-sample')
    .description('run the sample legacy REST API: GET /legacy/data/{key}')
    .option('--host <address>', 'address to listen on', LEGACY_HOST)
    .option('--port <number>', 'port to listen on', portNumber, LEGACY_PORT_DEFAULT)
    .action(runLegacySample);
}

async function runLegacySample({ host, port }: LegacySampleOptions): Promise<void> {
  const server = createSampleLegacy();
  const leave = (): void => {
    server.close(() => process.exit(0));
    server.closeAllConnections();
  };
  watchParent(leave);
  process.once('SIGINT', leave);
  process.once('SIGTERM', leave);
  try {
    await listenSampleLegacy(server, port, host);
    process.stdout.write(`sample legacy API on http://${host}:${port}/legacy/data/user:1001\n`);
  } catch (error) {
    const reason =
      codeOf(error) === 'EADDRINUSE' ? 'the port is taken; choose another with --port' : reasonOf(error);
    process.stderr.write(`cannot listen on ${host}:${port}: ${reason}\n`);
    process.exit(1);
  }
}

/** A TCP port that others can be told about, so not 0. */
export function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535)
    throw new InvalidArgumentError('not a port (1 to 65535)');
  return port;
}
