/** The three parts of a lease: until when it is held, who may grant it, and the clocks that take it away. */
import { describe, expect, it } from 'vitest';
import { ClockGap, LeaseHolder, answerLease, waitOutMs } from './lease.ts';
import type { Topology } from './topology.ts';

function topologyAt(epoch: number, alive = true): Topology {
  return {
    epoch,
    clusterId: 'c',
    life: 1,
    replicaCount: 3,
    ownerCountMin: 2,
    leaseMs: 600,
    clockDrift: 0.01,
    healAfterMs: 0,
    members: [{ id: 1, name: 'a', address: '', incarnation: 7, alive, zone: '', host: '', weight: 1 }],
    council: [1, 2, 3],
    nextId: 4,
    rows: [],
    slotRow: new Uint16Array(0),
    placed: [],
    floorCounter: 1,
    loaded: true,
  };
}

function holding(): LeaseHolder {
  const lease = new LeaseHolder({});
  lease.begin(topologyAt(5));
  return lease;
}

describe('LeaseHolder', () => {
  it('grants of a majority: the lease runs from the sending of the later heartbeat both granted', () => {
    const lease = holding();
    lease.onGrant(1, 5, 1_000, 1_050);
    expect(lease.until).toBe(-Infinity);
    lease.onGrant(2, 5, 1_100, 1_300);
    expect(lease.until).toBe(1_600);
    lease.onGrant(1, 5, 1_200, 1_310);
    expect(lease.until).toBe(1_700);
  });

  it('grants of an earlier epoch, of no voter, of a heartbeat yet to be sent: no lease', () => {
    const lease = holding();
    lease.onGrant(1, 5, 1_000, 1_050);
    lease.onGrant(2, 4, 1_000, 1_050);
    lease.onGrant(9, 5, 1_000, 1_050);
    lease.onGrant(3, 5, 1_051, 1_050);
    expect(lease.until).toBe(-Infinity);
  });

  it('granted ahead: it counts in that epoch alone, from the sending of the heartbeat, and once it is taken over', () => {
    const lease = holding();
    lease.onGrant(1, 6, 1_000, 1_050);
    lease.onGrant(2, 6, 1_100, 1_150);
    lease.onGrant(3, 7, 1_100, 1_150);
    lease.takeGrants();
    expect(lease.until).toBe(-Infinity);
    lease.begin(topologyAt(6));
    expect(lease.until).toBe(-Infinity);
    lease.takeGrants();
    expect(lease.until).toBe(1_600);
    lease.begin(topologyAt(7));
    lease.takeGrants();
    expect(lease.until).toBe(-Infinity);
    lease.onGrant(1, 7, 1_200, 1_250);
    expect(lease.until).toBe(1_700);
    for (const voter of [1, 2]) lease.onGrant(voter, 8, 1_200, 1_250);
    lease.begin(topologyAt(9));
    lease.takeGrants();
    expect(lease.until).toBe(-Infinity);
  });

  it('granted ahead, and then the process slept or gave its lease up: the grants count no more', () => {
    const sleeper = holding();
    sleeper.onGrant(1, 6, 1_000, 1_050);
    sleeper.drop(1_060);
    sleeper.onGrant(2, 6, 1_050, 1_070);
    sleeper.begin(topologyAt(6));
    sleeper.takeGrants();
    sleeper.onGrant(3, 6, 1_070, 1_080);
    expect(sleeper.until).toBe(-Infinity);
    const leaver = holding();
    for (const voter of [1, 2]) leaver.onGrant(voter, 6, 1_000, 1_050);
    leaver.release();
    leaver.begin(topologyAt(6));
    leaver.takeGrants();
    expect(leaver.until).toBe(-Infinity);
  });

  it('a new epoch, a drop, a release: the lease is over, and after a release for good', () => {
    const lease = holding();
    const grant = (epoch: number, at: number): void => {
      lease.onGrant(1, epoch, at, at);
      lease.onGrant(2, epoch, at, at);
    };
    grant(5, 1_100);
    lease.begin(topologyAt(6));
    expect(lease.until).toBe(-Infinity);
    grant(6, 1_200);
    lease.drop(1_300);
    grant(6, 1_250);
    expect(lease.until).toBe(-Infinity);
    grant(6, 1_300);
    expect(lease.until).toBe(1_900);
    lease.release();
    grant(6, 1_400);
    expect(lease.until).toBe(-Infinity);
  });

  it('the slowest holder and the fastest waiter that are allowed: the wait outlasts the lease', () => {
    const drift = 0.01;
    const leaseRealMs = 600 / (1 - drift);
    expect(waitOutMs(600, drift) / (1 + drift)).toBeGreaterThan(leaseRealMs);
  });
});

describe('answerLease', () => {
  const ask = { id: 1, incarnation: 7, epoch: 5 };

  it('the epoch that binds the voter: granted to the live incarnation only', () => {
    expect(answerLease(topologyAt(5), topologyAt(4), ask, {}).granted).toBe(true);
    expect(answerLease(topologyAt(4), topologyAt(5), ask, {}).granted).toBe(true);
    expect(answerLease(null, topologyAt(5), { ...ask, incarnation: 6 }, {}).granted).toBe(false);
    expect(answerLease(null, topologyAt(5, false), ask, {}).granted).toBe(false);
    expect(answerLease(null, null, ask, {}).granted).toBe(false);
  });

  it('a later epoch was accepted, though not learned: refused, and the epoch is named', () => {
    expect(answerLease(topologyAt(6), topologyAt(5), ask, {})).toEqual({ granted: false, epoch: 6 });
  });
});

describe('ClockGap', () => {
  it('the machine slept unseen by the monotonic clock: noticed by the wall clock and by the boot clock', () => {
    expect(new ClockGap(0, 0, 0).wallRanAhead(10, 21)).toBe(true);
    expect(new ClockGap(0, 0, 0).tick(10, 10, 31)).toBe(true);
    expect(new ClockGap(0, 0, 0).tick(10, 20, 30)).toBe(false);
  });

  it('what sleeps may pass unnoticed, also many short ones, is less than waiting out adds to a lease', () => {
    const leaseMs = 600;
    for (const slept of [1, 3, 7, 10]) {
      const gap = new ClockGap(0, 0, 0);
      let unnoticed = 0;
      for (let at = 10; at <= leaseMs; at += 10) {
        if (gap.tick(at, at + unnoticed + slept, at + unnoticed + slept)) break;
        unnoticed += slept;
      }
      expect(leaseMs + unnoticed).toBeLessThanOrEqual(waitOutMs(leaseMs, 0) + leaseMs * 0.001);
    }
  });

  it('a gap is told once', () => {
    const gap = new ClockGap(0, 0, 0);
    expect(gap.tick(10, 500, 500)).toBe(true);
    expect(gap.tick(20, 510, 510)).toBe(false);
  });

  it('the wall clock is set back, or is slewed for hours, or the boot clock is coarse: no gap', () => {
    const gap = new ClockGap(0, 0, 0);
    expect(gap.tick(10, -5_000, 10)).toBe(false);
    for (let at = 20; at < 1_000_000; at += 10) {
      expect(gap.tick(at, -5_010 + at * 1.0005, Math.floor(at / 10) * 10 + (at % 20))).toBe(false);
    }
  });
});
