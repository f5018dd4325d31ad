/** What a node that holds no lease says of those with which no link stands. */
import { expect, test } from 'vitest';
import { Suspicion } from '../../core/membership/suspicion.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { MembershipParts } from './parts.ts';
import { PeerTable } from './peer-table.ts';
import { Neighbours } from './neighbours.ts';

const SUSPICION = { suspectAfterMs: 500, linkGraceMs: 50, splitAfterMs: 1_000 };

/** A node that has just started, with two other configured members, and what it logs. */
function started() {
  const told: string[] = [];
  const telemetry: Telemetry = {
    event: (_, name, { members } = {}) => void told.push(`${name} ${String(members)}`),
    count: () => undefined,
  };
  const peers = new PeerTable([], telemetry);
  const parts = {
    ...{ telemetry, self: { name: 'n1' }, clock: { now: () => 0 }, doors: { begin: () => undefined } },
    members: ['n1', 'n2', 'n3'].map((name) => ({ name, address: `${name}:1`, weight: 1 })),
    ...{ dial: () => undefined, joins: null },
  } as unknown as MembershipParts;
  const neighbours = new Neighbours(parts, peers, new Suspicion('n1', [], SUSPICION, 0));
  neighbours.start(null);
  const link = (name: string): void => {
    Object.assign(peers.get(name)!, { linked: true, introduction: {} });
  };
  return { neighbours, told, link, unlink: (name: string) => void (peers.get(name)!.linked = false) };
}

test('no lease for five seconds: those without a link are named once, and again when they are others', () => {
  const { neighbours, told, link } = started();
  neighbours.tick(4_900, false);
  expect(told).toEqual([]);
  for (const now of [5_000, 5_100]) neighbours.tick(now, false);
  link('n2');
  for (const now of [5_200, 5_300]) neighbours.tick(now, false);
  expect(told).toEqual([
    'membership.links_awaited n2 (n2:1), n3 (n3:1)',
    'membership.links_awaited n3 (n3:1)',
  ]);
});

test('a node with a lease says nothing of a peer that is down, and five seconds after its lease is lost it does', () => {
  const { neighbours, told, link, unlink } = started();
  for (const name of ['n2', 'n3']) link(name);
  neighbours.tick(6_000, true);
  unlink('n3');
  neighbours.tick(60_000, true);
  neighbours.tick(64_900, false);
  expect(told).toEqual([]);
  neighbours.tick(65_000, false);
  expect(told).toEqual(['membership.links_awaited n3 (n3:1)']);
});
