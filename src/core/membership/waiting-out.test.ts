/** Whose lease a write still waits for after an epoch, and what ends that wait. */
import { describe, expect, it } from 'vitest';
import { waitOutMs } from './lease.ts';
import { changeMembers, foundTopology } from './topology-change.ts';
import type { Topology } from './topology.ts';
import { WaitingOut } from './waiting-out.ts';

const first = foundTopology({
  clusterId: 'c',
  life: 1,
  members: ['a', 'b', 'c'].map((name) => ({
    name,
    address: name,
    zone: '',
    host: name,
    weight: 1,
    incarnation: 1,
  })),
  place: () => ({ rows: [{ owners: [1, 2, 3], complete: [] }], slotRow: new Uint16Array(16_384) }),
  replicaCount: 3,
  ownerCountMin: 2,
  leaseMs: 600,
  clockDrift: 0.01,
  healAfterMs: 0,
  floorCounter: 1,
  loaded: true,
});
const gone = (topology: Topology, id: number): Topology =>
  changeMembers(topology, { gone: [id], entrants: [] })!;
const back = (topology: Topology, id: number, incarnation: number, intact = true): Topology =>
  changeMembers(topology, { gone: [], entrants: [{ id, incarnation, intact }] })!;
const WAIT_MS = waitOutMs(600, 0.01);

function knowing(...topologies: Topology[]): WaitingOut {
  const waits = new WaitingOut({});
  let previous: Topology | null = null;
  topologies.forEach((topology, index) => {
    waits.onTopology(previous, topology, index * 1_000);
    previous = topology;
  });
  return waits;
}

describe('WaitingOut', () => {
  it('a complete owner goes: its lease is waited out from the moment this node knew', () => {
    expect(knowing(first, gone(first, 3)).until(3)).toBe(1_000 + WAIT_MS);
    expect(knowing(first, gone(first, 3)).until(2)).toBe(0);
  });

  it('a learner goes: nothing is owed', () => {
    const learning = back(gone(first, 3), 3, 2);
    const waits = knowing(gone(first, 3), learning);
    waits.onTopology(learning, gone(learning, 3), 5_000);
    expect(waits.until(3)).toBe(0);
  });

  it('it speaks in the new epoch, gives its lease up before or after, or time passes: the wait is over', () => {
    const spoke = knowing(first, gone(first, 3));
    spoke.onFrame(3, 1);
    expect(spoke.until(3)).toBeGreaterThan(0);
    spoke.onFrame(3, 2);
    expect(spoke.until(3)).toBe(0);
    const released = knowing(first, gone(first, 3));
    released.onReleased(3, 1);
    expect(released.until(3)).toBe(0);
    const before = knowing(first);
    before.onReleased(3, 1);
    before.onTopology(first, gone(first, 3), 1_000);
    expect(before.until(3)).toBe(0);
    const passed = knowing(first, gone(first, 3));
    passed.onTick(1_000 + WAIT_MS);
    expect(passed.until(3)).toBe(0);
  });

  it('its next process on the same disk is admitted: the wait is over', () => {
    const without = gone(first, 3);
    expect(knowing(first, without, back(without, 3, 2)).until(3)).toBe(0);
    expect(knowing(first, back(first, 3, 2)).until(3)).toBe(0);
  });

  it('another disk takes its place: only time ends the wait, under the old id and the new', () => {
    const replaced = back(first, 3, 2, false);
    const waits = knowing(first, replaced);
    waits.onFrame(4, replaced.epoch);
    waits.onReleased(4, 2);
    expect(waits.until(3)).toBe(1_000 + WAIT_MS);
    expect(waits.until(4)).toBe(1_000 + WAIT_MS);
  });

  it('this process is new, and a member that lives serves not all slots: it may have served them just before', () => {
    const slotRow = new Uint16Array(16_384);
    slotRow[7] = 1;
    const rows = [
      { owners: [1, 2, 3], complete: [1, 2, 3] },
      { owners: [1, 2], complete: [1, 2] },
    ];
    const moved: Topology = { ...first, epoch: 5, rows, slotRow };
    const waits = knowing(moved);
    expect(waits.until(3)).toBe(WAIT_MS);
    expect(waits.until(2)).toBe(0);
    waits.onFrame(3, 5);
    expect(waits.until(3)).toBe(0);
  });

  it('epochs were missed, or this process is new: everyone who is away counts as having just gone', () => {
    const without = gone(first, 3);
    const later = gone(back(without, 3, 2), 3);
    expect(knowing(without, later).until(3)).toBe(1_000 + WAIT_MS);
    expect(knowing(without).until(3)).toBe(WAIT_MS);
    expect(knowing(first).until(3)).toBe(0);
    const replaced = back(back(first, 3, 2, false), 2, 2);
    expect(knowing(first, replaced).until(4)).toBe(1_000 + WAIT_MS);
  });
});
