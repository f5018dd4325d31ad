/** Whether a node could listen on its ports, and whether it would reach the other members. */
import { fault, note, ok, warning } from './doctor-finding.ts';
import type { Finding } from './doctor-finding.ts';

export interface PortFacts {
  readonly door: 'grpc' | 'http' | 'resp';
  readonly host: string;
  readonly port: number;
  /** The system's error code if the port is not available; '' if it is. */
  readonly refusal: string;
}

export interface MemberFacts {
  readonly name: string;
  readonly address: string;
  /** The name of the node that answered; null if nobody did. */
  readonly answeredBy: string | null;
  readonly roundTripMs: number;
  /** Why nobody answered. */
  readonly reason: string;
}

/** `isRunning`: this node itself already answers at its own address. */
export function judgePort({ door, host, port, refusal }: PortFacts, isRunning: boolean): Finding {
  const text = `${door} ${host}:${port}`;
  switch (refusal) {
    case '':
      return ok(`${text} is free`);
    case 'EADDRINUSE':
      if (isRunning) return ok(`${text}: the node runs`);
      return fault(
        `${text} is taken by another program`,
        `see who has it (ss -ltnp 'sport = :${port}'), end it, or choose another ${door}.port`,
      );
    case 'EACCES':
      return fault(
        `${text}: ports below 1024 are the administrator's`,
        `choose another ${door}.port, or give the node CAP_NET_BIND_SERVICE`,
      );
    case 'EADDRNOTAVAIL':
      return fault(`${text} is no address of this machine`, `set ${door}.host to one of it (ip addr)`);
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return fault(`${text}: the name is not known`, `give ${door}.host an address, or the name to your DNS`);
    default:
      return fault(`${text} cannot be had: ${refusal}`, `choose another ${door}.host or ${door}.port`);
  }
}

const ROUND_TRIP_MS_MAX = 50;

export function judgeMember(facts: MemberFacts, self: string): Finding[] {
  const { name, address, answeredBy, roundTripMs, reason } = facts;
  const text = `${name} at ${address}`;
  if (answeredBy === null) {
    // If this node is not running yet, nobody answers at its own address.
    if (name === self) return [];
    return [
      warning(
        `${text} does not answer: ${reason}`,
        'is it started, is the port open in every firewall, and does the name lead there?',
      ),
    ];
  }
  if (answeredBy !== name)
    return [fault(`${text}: ${answeredBy} answers there`, 'correct its address in cluster.members')];
  if (name === self) return [];
  const took = `${text} answers within ${Math.ceil(roundTripMs)} ms`;
  if (roundTripMs > ROUND_TRIP_MS_MAX)
    return [
      note(
        took,
        'each write waits for that: cluster.slowAfterMs must be above it, or the member is taken for slow',
      ),
    ];
  return [ok(took)];
}
