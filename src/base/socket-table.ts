/**
 * Linux's table of sockets (`/proc/net/tcp`, `tcp6`), read for one question: is a port that cannot be listened on held
 * only by an outgoing connection? The kernel gives outgoing connections ports from a range of its own (usually 32768 to
 * 60999).
 */

export const SOCKET_TABLES = ['/proc/net/tcp', '/proc/net/tcp6'];

const LISTENING = '0A';

/** False if some process listens on it, or the tables do not mention it. */
export function isHeldByConnection(port: number, tables: readonly string[]): boolean {
  let isHeld = false;
  for (const line of tables.flatMap((table) => table.split('\n'))) {
    // `0: 0100007F:C383 0100007F:0016 01 ...`: local address, remote address, state
    const [, bound, , state] = line.trim().split(/\s+/);
    if (bound === undefined || state === undefined || Number.parseInt(bound.split(':')[1] ?? '', 16) !== port)
      continue;
    if (state === LISTENING) return false;
    isHeld = true;
  }
  return isHeld;
}

/** Linux's setting for that range: `32768	60999`. */
export const PORT_RANGE = '/proc/sys/net/ipv4/ip_local_port_range';

/** How a person can reserve the ports so that none is given away. */
export function howToReserve(ports: readonly number[], range: string): string {
  const [low = 0, high = 0] = range.trim().split(/\s+/).map(Number);
  const given = ports.filter((port) => port >= low && port <= high);
  return `sudo sysctl -w net.ipv4.ip_local_reserved_ports=${given.join(',')}`;
}
