/** When it is this member's turn to propose: members go by their place in the council, so that usually one proposes. */
import { idleMembers } from '../../core/membership/housekeeping.ts';
import type { Suspicion } from '../../core/membership/suspicion.ts';
import { memberById } from '../../core/membership/topology.ts';
import type { Topology } from '../../core/membership/topology.ts';
import type { Situation } from './situation.ts';

/** Milliseconds by which each place in the council lets the ones before it go first. */
const TURN_MS = 60;
/** Milliseconds for which a member that owns nothing may compute the sharing of slots before others do. */
const SHARE_TURN_MS = 1_500;
/** For sharing slots out, each place in the order waits this many times as long as for anything else. */
const SHARE_TURNS = 8;

/** Milliseconds that this member waits for the members, apparently up, that come before it. */
export function turnMs({ own, now }: Situation, topology: Topology, suspicion: Suspicion): number {
  const serving = own.state === 'serving';
  let turn = 0;
  for (const id of [...topology.council, ...topology.members.map((member) => member.id)]) {
    const member = topology.members.find((each) => each.id === id);
    if (member === undefined) continue;
    if (member.name === own.name) break;
    if (serving && !member.alive) continue;
    if (!suspicion.isSilent(member.name, now)) turn += 1;
  }
  return turn * TURN_MS;
}

/**
 * The same for sharing slots out. One member that owns nothing does that at once: computing it takes a while, and a
 * member that starts meanwhile would outbid it and make it start over. Others do it only if such members do not.
 */
export function shareTurnMs(situation: Situation, topology: Topology, suspicion: Suspicion): number {
  const { own, now } = situation;
  const idle = idleMembers(topology).map((id) => memberById(topology, id)!.name);
  const isUp = (name: string): boolean => name === own.name || !suspicion.isSilent(name, now);
  const first = idle.find(isUp);
  if (first === own.name) return 0;
  const waitMs = turnMs(situation, topology, suspicion) * SHARE_TURNS;
  return first === undefined ? waitMs : SHARE_TURN_MS + waitMs;
}
