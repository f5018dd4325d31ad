/**
 * Where a process's doors for clients are reached, by its own word: it says so when it introduces itself, and whoever
 * routes clients by slot tells them. Rules of what is worth telling; a door that nobody else could reach is not.
 */
import { DOOR_ADDRESS_CHARACTERS_MAX } from './client-limits.ts';

/** host:port each; '': there is no such door, or none that others reach. The gRPC door is a member's address. */
export interface DoorAddresses {
  readonly http: string;
  readonly resp: string;
}

export const NO_DOORS: DoorAddresses = { http: '', resp: '' };

/** Where it listens, and where the node itself is reached by its peers. */
export interface OpenDoor {
  readonly host: string;
  readonly port: number;
  /** What an operator has said; undefined: nothing. */
  readonly told: string | undefined;
  readonly memberAddress: string;
}

/** What others are told of a door: what the operator says, else the host that peers reach, with the door's own port. */
export function advertised({ host, port, told, memberAddress }: OpenDoor): string {
  if (told !== undefined) return told;
  const memberHost = memberAddress.slice(0, memberAddress.lastIndexOf(':'));
  if (isWildcard(host)) return `${memberHost}:${port}`;
  // Reached from this machine alone: an address for others only where they are on it, too.
  if (isLoopback(host) && !isLoopback(bare(memberHost))) return '';
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** host:port, with a host in brackets where it has colons. */
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
