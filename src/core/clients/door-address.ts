/**
 * The addresses of a process's doors for clients, as the process announces them when it introduces itself; they are
 * given to clients that route by slot. Decides which address is worth announcing: a door that no other machine can
 * reach is not.
 */
import { DOOR_ADDRESS_CHARACTERS_MAX } from './client-limits.ts';

/**
 * Each as host:port; '' if there is no such door, or none that others can reach. The gRPC door is at the member's own
 * address.
 */
export interface DoorAddresses {
  readonly http: string;
  readonly resp: string;
}

export const NO_DOORS: DoorAddresses = { http: '', resp: '' };

/** Where the door listens, and where peers reach the node itself. */
export interface OpenDoor {
  readonly host: string;
  readonly port: number;
  /** The address that an operator has configured; undefined if none. */
  readonly told: string | undefined;
  readonly memberAddress: string;
}

/** The address announced for a door: the operator's, or else the host that peers use, with the door's own port. */
export function advertised({ host, port, told, memberAddress }: OpenDoor): string {
  if (told !== undefined) return told;
  const memberHost = memberAddress.slice(0, memberAddress.lastIndexOf(':'));
  if (isWildcard(host)) return `${memberHost}:${port}`;
  // A loopback door is reachable only on this machine: it is announced only if the members' addresses are loopback too.
  if (isLoopback(host) && !isLoopback(bare(memberHost))) return '';
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** True for host:port, where a host that contains colons is in brackets. */
export function isDoorAddress(text: string): boolean {
  if (text.length > DOOR_ADDRESS_CHARACTERS_MAX) return false;
  const match = /^(\[[0-9A-Fa-f:.]+\]|[^\s:/[\]]+):(\d{1,5})$/.exec(text);
  return match !== null && Number(match[2]) >= 1 && Number(match[2]) <= 65_535;
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function bare(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}
