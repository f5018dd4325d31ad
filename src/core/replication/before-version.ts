/**
 * Checks made before a write takes a version: whether anything forbids the write, and which counter its version must
 * exceed.
 */
import { failure } from '../errors.ts';
import type { Failure } from '../errors.ts';
import { mayForget } from '../upkeep/collection.ts';
import type { SlotFloor } from '../upkeep/floors.ts';
import { SINCE, protocolInForce } from '../membership/protocol-versions.ts';
import { memberById } from '../membership/topology.ts';
import type { ReplicaContext } from './context.ts';
import type { KeyState } from './key-state.ts';
import { spools } from './spooling.ts';

/** The reason to refuse a write before any of it has been done, or null: a definite refusal. (R6, R7, R32) */
export function refusalOf(context: ReplicaContext, state: KeyState): Failure | null {
  const row = context.view.row(state.slot);
  if (!row.owns) return failure('not_ready');
  if (row.owners.length < context.view.ownersNeeded) return failure('owners_missing');
  const refusing = context.effects.refusing();
  if (refusing.size > 0) {
    const full = [context.self.id, ...row.others].find((id) => refusing.has(id));
    if (full !== undefined) return diskFull(context, full);
  }
  if (!context.effects.writesThrough(state.key)) return null;
  if (spools(context)) return context.effects.spoolFull() ? spoolFull() : null;
  return context.effects.recordAvailable() ? null : failure('record_unavailable');
}

/**
 * The counter that a new version must exceed. Whatever only this node knows must not raise a conditional version: it
 * could outrank an unconditional one that the node judging the condition has not heard of. (R5, R8, R22)
 */
export function floorOf(context: ReplicaContext, { slot }: KeyState, conditional: boolean): number {
  const { view, effects, mutations, agreed, promised } = context;
  const isOwn = (!conditional || mutations.liftConditional === true) && mutations.retakeCounters !== true;
  const spent = isOwn ? effects.counters.spentThrough : 0;
  const floor = conditional && mayAgree(context, slot) ? agreed.of(slot) : effects.floors.of(slot);
  const kept = conditional ? 0 : (promised.get(slot) ?? 0);
  return Math.max(view.topology.floorCounter, floor, spent, kept);
}

/**
 * Notes a learner's promise about floors that the owners are agreeing on. A conditional version raised by such a floor
 * may still be on its way when this learner becomes an owner; an unconditional version that it then took below the
 * floor would be lost. The learner's own floor is left as it was copied, because it tells whether what was copied is
 * out of date. (R22, R24)
 */
export function promiseFloors({ promised, mutations }: ReplicaContext, floors: readonly SlotFloor[]): void {
  if (mutations.promiseNothing === true) return;
  for (const { slot, counter } of floors) promised.set(slot, Math.max(counter, promised.get(slot) ?? 0));
}

/**
 * True if a conditional version above `known` would fall at or below this node's floor, where this node has promised to
 * start nothing. The write then waits until all owners have passed that floor, which they are asked to do here. (R22)
 */
export function waitsForFloor(context: ReplicaContext, state: KeyState, known: number): boolean {
  const { slot } = state;
  if (Math.max(known, floorOf(context, state, true)) >= context.effects.floors.of(slot)) return false;
  context.effects.agreeFloor(slot);
  return true;
}

/**
 * With a member that speaks an earlier protocol version, owners agree on floors only in slots where deletions may be
 * forgotten. Elsewhere conditional writes must not wait for such an agreement, which would not come before a member is
 * back or has copied the slot. (decision 19)
 */
function mayAgree({ view, mutations }: ReplicaContext, slot: number): boolean {
  if (mutations.liftUnagreed === true) return false;
  return protocolInForce(view.topology) >= SINCE.agreedFloors || mayForget(view, slot, mutations);
}

function diskFull(context: ReplicaContext, id: number): Failure {
  const name = memberById(context.view.topology, id)?.name ?? String(id);
  return failure(
    'disk_full',
    `the disk of ${name} has less free space than its reserve (disk.reserveBytes), or its data directory is not in its place, and writes cannot do without that node: see its /readyz`,
  );
}

function spoolFull(): Failure {
  return failure(
    'record_unavailable',
    'PostgreSQL is down, and what waits for it has reached its bound (record.spoolBytesMax, record.spoolEntriesMax): retry when it is back',
  );
}
