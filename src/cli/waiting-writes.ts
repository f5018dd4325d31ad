/**
 * What `causeway cluster recover` can say about writes that were acknowledged while PostgreSQL was away: the lost
 * members may have been the only ones that had them. A node knows whether the cluster was spooling in the last epoch
 * that it has heard of, and what waits on its own disk.
 */
import type { CausewayClient } from '../client/index.ts';
import { asFacts } from './facts.ts';
import { grouped } from './figures.ts';

export interface WaitingWrites {
  readonly address: string;
  /** Whether PostgreSQL is used at all. */
  readonly isUsed: boolean;
  /** Whether writes complete without PostgreSQL. */
  readonly isOn: boolean;
  /** Number of keys on this disk, of any slot, that PostgreSQL lacks. */
  readonly keys: number;
}

/** For every node that answers. */
export async function waitingWrites(client: CausewayClient): Promise<WaitingWrites[]> {
  const asked = await Promise.allSettled(
    client.nodes.map(async (address) => {
      const status = asFacts(await client.status(address));
      const { isOn, entries } = asFacts(status.spool);
      const isUsed = asFacts(status.record).state !== 'unused';
      return { address, isUsed, isOn: isOn === true, keys: Number(entries ?? 0) };
    }),
  );
  return asked.filter((each) => each.status === 'fulfilled').map((each) => each.value);
}

export function waitingLines(told: readonly WaitingWrites[]): string[] {
  const held = told.filter(({ keys }) => keys > 0);
  const here = held.map(
    ({ address, keys }) =>
      `  ${address}: ${grouped(keys)} ${keys === 1 ? 'key waits' : 'keys wait'} for PostgreSQL here`,
  );
  if (told.length === 0) return ['Whether writes waited for PostgreSQL is not known: no node says so.'];
  if (!told.some(({ isUsed }) => isUsed)) return [];
  if (told.some(({ isOn }) => isOn))
    return [
      'PostgreSQL was away, and writes were acknowledged without it. What of these is',
      'on lost disks alone is lost; what is left of them elsewhere, in any slot:',
      ...(here.length > 0 ? here : ['  nothing on the nodes that answer']),
    ];
  if (here.length > 0)
    return [
      'Writes had been acknowledged without PostgreSQL, and not all are there yet.',
      'What of these is on lost disks alone is lost; elsewhere is left, in any slot:',
      ...here,
    ];
  return [
    'As far as the nodes that answer know nothing waited for PostgreSQL: what was',
    'acknowledged had been written there.',
  ];
}
