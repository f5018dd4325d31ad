/** Checks before anything is started whether the ports to be used are free, and reports each taken port in one line. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { howToReserve, isHeldByConnection, PORT_RANGE, SOCKET_TABLES } from '../base/socket-table.ts';
import { reasonOf } from '../base/reason-of.ts';
import { codeOf, StartError } from './start-error.ts';

export interface PortNeed {
  readonly port: number;
  readonly host: string;
  /** 'node-2 (gRPC)' */
  readonly user: string;
  /** How to choose another one: '--grpc-port'. */
  readonly change: string;
}

const POLL_MS = 200;
const TAKEN = 'is taken';

/** Waits up to `patienceMs` for ports that children of an earlier run may still hold. */
export async function checkPorts(
  needs: readonly PortNeed[],
  patienceMs: number,
  signal: AbortSignal,
  waiting: (line: string) => void,
): Promise<void> {
  checkDistinct(needs);
  for (const need of needs) {
    let reason = await whyTaken(need);
    if (reason !== '' && patienceMs > 0)
      waiting(`waiting for port ${need.port}, which an earlier run still holds`);
    for (let waitedMs = 0; reason !== '' && waitedMs < patienceMs; waitedMs += POLL_MS) {
      await delay(POLL_MS, undefined, { signal });
      reason = await whyTaken(need);
    }
    if (reason === '') continue;
    const { advice, holder } = adviceFor(need.port, reason, needs);
    throw new StartError(
      `port ${need.port} for ${need.user} ${holder}: ${advice}, or choose another with ${need.change}`,
    );
  }
}

/** A port in the range for outgoing connections comes and goes: there may be no program that could be stopped. */
function adviceFor(
  port: number,
  reason: string,
  needs: readonly PortNeed[],
): { holder: string; advice: string } {
  if (reason !== TAKEN || !isHeldByConnection(port, SOCKET_TABLES.map(read)))
    return { holder: reason, advice: 'free it' };
  const ports = needs.map((need) => need.port).sort((one, other) => one - other);
  return {
    holder: 'is taken by an outgoing connection, to which the system has given it',
    advice: `wait until that has ended, have such ports kept free (${howToReserve(ports, read(PORT_RANGE))})`,
  };
}

/** '' if the system does not provide it. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function checkDistinct(needs: readonly PortNeed[]): void {
  const seen = new Map<number, PortNeed>();
  for (const need of needs) {
    const other = seen.get(need.port);
    if (other) {
      throw new StartError(
        `port ${need.port} is wanted by ${other.user} and by ${need.user}: ` +
          `choose another with ${other.change} or ${need.change}`,
      );
    }
    if (need.port > 65_535) {
      throw new StartError(
        `port ${need.port} for ${need.user} does not exist: choose a lower ${need.change}`,
      );
    }
    seen.set(need.port, need);
  }
}

/** '' if it is free. */
function whyTaken({ port, host }: PortNeed): Promise<string> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => {
      resolve(
        codeOf(error) === 'EADDRINUSE' ? TAKEN : `cannot be used (${codeOf(error) || reasonOf(error)})`,
      );
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve('')));
  });
}
