/**
 * Which members are permitted to stop when members learn of a new epoch one after the other. Whole nodes:
 * `sim/safe-to-stop.test.ts`.
 */
import { expect, test } from 'vitest';
import { founded } from '../../../test/support/founded.ts';
import { handClock } from '../../../test/support/hand-clock.ts';
import { isEarly, isHeard } from '../../core/membership/hearing.ts';
import type { PeerMessage } from '../../core/message.ts';
import { SINCE } from '../../core/membership/protocol-versions.ts';
import { STOP_ASK_MS, STOP_SAID_EVERY_MS } from '../../core/membership/stop-limits.ts';
import type { StopMessage } from '../../core/membership/stop-message.ts';
import type { Member, Topology } from '../../core/membership/topology.ts';
import { StopDesk } from './stop-desk.ts';
import type { StopDeskParts, StopVerdict } from './stop-desk.ts';

const WHAT_TO_DO =
  'ask again in a few seconds, when it answers or an epoch goes on without it; if it is still silent then, restart it';

interface Sent {
  readonly from: number;
  readonly to: number;
  readonly epoch: number;
  readonly message: StopMessage;
}

/** A number of members. None receives anything before `deliver`, and each acts in the epoch it was given. */
class Scene {
  readonly clock = handClock();
  readonly first: Topology;
  readonly desks = new Map<number, StopDesk>();
  /** Messages that were not delivered yet, in order. */
  sent: Sent[] = [];
  /** Pairs of members, asker first, that cannot reach each other. */
  readonly cut = new Set<string>();
  /** Members whose program does not understand the question. */
  readonly earlier = new Set<number>();
  /** If true, only questions and answers arrive, and no announcements. */
  losesWords = false;
  private readonly known = new Map<number, Topology>();

  constructor(count: number) {
    this.first = founded(count);
    for (const { id } of this.first.members) {
      this.known.set(id, this.first);
      this.start(id);
    }
  }

  /** Starts the member with empty memory, like a new process. */
  start(id: number): void {
    this.desks.set(id, new StopDesk({ clock: this.clock, ...this.partsOf(id) } as unknown as StopDeskParts));
  }

  /** These members have heard of the topology. */
  enter(topology: Topology, ids: readonly number[]): void {
    for (const id of ids) this.known.set(id, topology);
  }

  ask(id: number, costs: () => readonly string[] = () => []): StopVerdict[] {
    const told: StopVerdict[] = [];
    this.desks.get(id)!.reserve(costs, (verdict) => told.push(verdict));
    return told;
  }

  /** Delivers all messages, and those sent in response, except to the deaf members. */
  deliver(deaf: readonly number[] = []): void {
    const kept: Sent[] = [];
    for (let next = this.sent.shift(); next !== undefined; next = this.sent.shift()) {
      const header = { from: next.from, incarnation: 1, epoch: next.epoch } as never;
      const topology = this.known.get(next.to)!;
      if (deaf.includes(next.to) || isEarly(topology, header, next.message)) kept.push(next);
      else if (isHeard(topology, header, next.message))
        this.desks.get(next.to)!.onMessage(header, next.message);
    }
    this.sent = kept;
    this.clock.turn();
  }

  private partsOf(id: number): object {
    const { known, cut, earlier } = this;
    const isCut = (other: number): boolean => cut.has(`${id}-${other}`);
    const spoken = ({ id: other }: Member): number =>
      isCut(other) ? 0 : SINCE.stopReservation - (earlier.has(other) ? 1 : 0);
    const membership = {
      get topology() {
        return known.get(id)!;
      },
      phase: 'serving',
      selfId: id,
      incarnation: 1,
      isLinked: (name: string) => !isCut(Number(name.slice('node-'.length))),
      proposals: { spoken: () => spoken },
    };
    const send = (to: number, message: PeerMessage): void => {
      const isLost = isCut(to) || (this.losesWords && message.kind === 'stopWord');
      if (!isLost)
        this.sent.push({ from: id, to, epoch: known.get(id)!.epoch, message: message as StopMessage });
    };
    return { membership, send };
  }
}

const mayStop = (told: readonly StopVerdict[]): boolean => told[0]?.costs.length === 0;

test('a voter of the council is exchanged, and two ask in the epochs before and after: one of them is told yes', () => {
  const scene = new Scene(9);
  const next = { ...scene.first, epoch: scene.first.epoch + 1, council: [8, 2, 3, 4, 5, 6, 7] };
  for (const voter of [2, 3, 4]) scene.cut.add(`9-${voter}`).add(`${voter}-9`);
  const told = scene.ask(4);
  // Four of seven votes, including its own; the others enter the new epoch first.
  scene.deliver([5, 6, 7, 8, 9]);
  scene.enter(next, [5, 6, 7, 8, 9]);
  const later = scene.ask(9);
  scene.deliver();
  scene.enter(next, [1, 2, 3, 4]);
  scene.deliver();
  expect([told, later].filter(mayStop).length).toBeLessThan(2);
});

test('a voter comes back with the program that knows of stops: it does not let itself beside one that was let before', () => {
  const scene = new Scene(9);
  const council = [1, 2, 3, 4, 5, 6, 7];
  const next = { ...scene.first, epoch: scene.first.epoch + 1 };
  for (const voter of council) scene.earlier.add(voter);
  const told = scene.ask(8);
  scene.deliver([1]);
  expect(mayStop(told)).toBe(true);
  scene.earlier.delete(1);
  scene.enter(next, [...council, 8, 9]);
  const later = scene.ask(1);
  scene.deliver();
  expect(later.map(({ costs }) => costs)).toEqual([['node-8 is about to stop']]);
});

test('the members that permitted a stop were restarted and know nothing of it: the stopping member announces it itself', () => {
  const scene = new Scene(3);
  scene.losesWords = true;
  const told = scene.ask(3);
  scene.deliver();
  expect(mayStop(told)).toBe(true);
  for (const id of [1, 2]) scene.start(id);
  const later = scene.ask(1);
  scene.deliver();
  expect(later.map(({ costs }) => costs)).toEqual([['node-3 is about to stop']]);
});

test('the first that is asked does not answer: that one is named, and nobody who was not asked', () => {
  const scene = new Scene(5);
  const told = scene.ask(4);
  scene.deliver([1]);
  scene.clock.advance(STOP_ASK_MS);
  scene.clock.turn();
  expect(told).toEqual([{ costs: [`node-1 did not say whether it may stop: ${WHAT_TO_DO}`], reservedMs: 0 }]);
});

test('two of those that are asked next do not answer: they are named', () => {
  const scene = new Scene(5);
  const told = scene.ask(4);
  scene.deliver([3, 5]);
  scene.clock.advance(STOP_ASK_MS);
  scene.clock.turn();
  expect(told[0]?.costs).toEqual([`node-3, node-5 did not say whether it may stop: ${WHAT_TO_DO}`]);
});

test('one that is a member is out of reach: it may have been told yes, and is named at once', () => {
  const scene = new Scene(3);
  scene.cut.add('1-2').add('2-1');
  const told = scene.ask(1);
  scene.deliver();
  expect(told[0]?.costs.join()).toBe(
    `node-2 cannot be asked whether it is about to stop, too: ${WHAT_TO_DO}`,
  );
});

test('the members change while it asks: it is told so when that is known, and may ask again', () => {
  const scene = new Scene(3);
  const next = { ...scene.first, epoch: scene.first.epoch + 1 };
  const told = scene.ask(2);
  scene.deliver([1]);
  scene.enter(next, [1, 2, 3]);
  scene.desks.get(2)!.tick();
  scene.deliver();
  expect(told[0]?.costs.join()).toContain('the members changed');
  const again = scene.ask(2);
  scene.deliver();
  expect(mayStop(again)).toBe(true);
});

test('its notice that it does not stop after all is lost between two epochs: it is repeated, and another may stop', () => {
  const scene = new Scene(3);
  let costs: readonly string[] = [];
  const told = scene.ask(2, () => costs);
  scene.deliver([3]);
  costs = ['a copy is missing'];
  scene.losesWords = true;
  scene.deliver();
  scene.losesWords = false;
  expect(mayStop(told)).toBe(false);
  scene.enter({ ...scene.first, epoch: scene.first.epoch + 1 }, [1, 2, 3]);
  scene.clock.advance(STOP_SAID_EVERY_MS);
  scene.desks.get(2)!.tick();
  scene.deliver();
  const later = scene.ask(3);
  scene.deliver();
  expect(mayStop(later)).toBe(true);
});
