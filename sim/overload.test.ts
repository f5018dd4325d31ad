/**
 * More requests than can be handled, at whole nodes in front of a PostgreSQL that takes time for every row: clients
 * that do not wait for one another's answers keep coming, several times as many as can be served.
 */
import { expect, it } from 'vitest';
import { certaintyOf } from '../src/core/errors.ts';
import {
  CLUSTER_ORDERS_MAX,
  KEY_WAITERS_MAX,
  OVERLOAD_DELAY_MS_DEFAULT,
  PLAN_MEMBERS_MAX,
} from '../src/core/limits.ts';
import { NO_MUTATIONS } from '../src/core/mutations.ts';
import type { Mutations } from '../src/core/mutations.ts';
import type { WriteResult } from '../src/core/operation.ts';
import { slotOf } from '../src/core/placement/slots.ts';
import type { SimNode } from './cluster.ts';
import { SmallWorld } from './small-world.ts';

/** Milliseconds that PostgreSQL takes for a row of one node. */
const ROW_MS = 0.2;
const SERVED_PER_MS = 1 / ROW_MS;
const TIMEOUT_MS = 10_000;

interface Told {
  readonly askedAt: number;
  readonly tookMs: number;
  readonly result: WriteResult;
}

/** Puts at one node at an even rate, whatever becomes of earlier ones. */
class OpenLoad {
  readonly told: Told[] = [];
  asked = 0;
  private readonly world: SmallWorld;
  private readonly sim: SimNode;
  private readonly keys: readonly string[];

  /** `keys` are used in turn; default: a new key for each put. */
  constructor(world: SmallWorld, sim: SimNode, keys: readonly string[] = []) {
    this.world = world;
    this.sim = sim;
    this.keys = keys;
  }

  run(ms: number, perMs: number): void {
    const { scheduler } = this.world;
    const from = scheduler.time;
    for (let count = 0; count < ms * perMs; count += 1) scheduler.at(from + count / perMs, () => this.put());
    this.world.run(ms);
  }

  since(askedAt: number): Told[] {
    return this.told.filter((each) => each.askedAt >= askedAt);
  }

  put(): void {
    const askedAt = this.world.scheduler.time;
    const key = this.keys[this.asked] ?? `${this.sim.name}:${this.asked}`;
    this.asked += 1;
    const operation = { kind: 'put', key, value: Buffer.from('v'), ttlMs: 0, operationId: null } as const;
    this.sim.node!.write(operation, TIMEOUT_MS, (result) =>
      this.told.push({ askedAt, tookMs: this.world.scheduler.time - askedAt, result }),
    );
  }
}

function isDone({ result }: Told): boolean {
  return result.kind === 'done';
}

function codeOf({ result }: Told): string {
  return result.kind === 'failed' ? result.failure.code : result.kind;
}

function slowest(told: readonly Told[]): number {
  return told.reduce((most, { tookMs }) => Math.max(most, tookMs), 0);
}

function overloaded(mutations: Mutations = NO_MUTATIONS): { world: SmallWorld; load: OpenLoad } {
  const world = new SmallWorld(91, { mutations });
  world.database.rowMs = ROW_MS;
  const load = new OpenLoad(world, world.nodes[0]!);
  load.run(300, SERVED_PER_MS / 2);
  expect(load.told.filter((each) => !isDone(each))).toEqual([]);
  load.run(1_500, SERVED_PER_MS * 3);
  return { world, load };
}

it('three times as much as gets done: as much gets done, in time, and the rest is refused definitely at once', () => {
  const { world, load } = overloaded();
  const from = world.scheduler.time;
  load.run(1_000, SERVED_PER_MS * 3);
  const doneMeanwhile = load.told.filter((each) => isDone(each) && each.askedAt + each.tookMs > from);
  expect(doneMeanwhile.length).toBeGreaterThan(1_000 * SERVED_PER_MS * 0.9);
  world.run(2_000);
  const told = load.since(from);
  const done = told.filter(isDone);
  const refused = told.filter((each) => !isDone(each));
  expect(done.length + refused.length).toBe(1_000 * SERVED_PER_MS * 3);
  // Two batches of PostgreSQL of the maximum size, plus the wait that the queue allows.
  expect(slowest(done)).toBeLessThan(2 * 1_000 * ROW_MS + OVERLOAD_DELAY_MS_DEFAULT);
  expect(slowest(refused)).toBeLessThan(1);
  expect(new Set(refused.map(codeOf))).toEqual(new Set(['overloaded']));
  expect(certaintyOf('overloaded')).toBe('definite');
  expect(world.nodes[0]!.node!.status().load.refused).toBeGreaterThan(refused.length);
  expect(world.told.get('overload.began')).toBe(1);
});

it('the load falls to half of what gets done: within a second nothing is refused, soon nothing waits', () => {
  const { world, load } = overloaded();
  expect(world.nodes[0]!.node!.status().load.state).toBe('refusing');
  load.run(1_000, SERVED_PER_MS / 2);
  const from = world.scheduler.time;
  load.run(2_000, SERVED_PER_MS / 2);
  world.run(1_000);
  expect(load.since(from).filter((each) => !isDone(each))).toEqual([]);
  expect(slowest(load.since(from + 1_000))).toBeLessThan(150);
  expect(world.nodes[0]!.node!.status().load).toMatchObject({ state: 'calm', writesInFlight: 0 });
  expect(world.told.get('overload.ended')).toBe(1);
});

it('one node is asked for too much: those who ask the others, and who reads there, notice nothing', () => {
  const { world, load } = overloaded();
  const [first, second] = world.nodes as [SimNode, SimNode];
  const other = new OpenLoad(world, second);
  const from = world.scheduler.time;
  const { scheduler } = world;
  for (let count = 0; count < 1_000 * SERVED_PER_MS * 3; count += 1)
    scheduler.at(from + count / (SERVED_PER_MS * 3), () => load.put());
  other.run(1_000, SERVED_PER_MS / 4);
  world.run(500);
  expect(other.told).toHaveLength((1_000 * SERVED_PER_MS) / 4);
  expect(other.told.filter((each) => !isDone(each))).toEqual([]);
  expect(slowest(other.told)).toBeLessThan(150);
  expect(world.text(first, `${first.name}:1`)).toBe('v');
});

it('more is handed on than its owner gets done: who hands on refuses, the owner does all that it was given', () => {
  const world = new SmallWorld(92, { nodeCount: 5 });
  const [first, ...others] = world.nodes as [SimNode, ...SimNode[]];
  const owner = others[0]!;
  const keys: string[] = [];
  for (let at = 0; keys.length < 16_000; at += 1) {
    const owners = world.ownersOf(`key:${at}`);
    if (owners[0] === owner && !owners.includes(first)) keys.push(`key:${at}`);
  }
  world.database.rowMs = 0.3;
  const load = new OpenLoad(world, first, keys);
  load.run(2_000, 8);
  world.run(2_000);
  const codes = new Set(load.told.map(codeOf));
  expect([...codes].sort()).toEqual(['done', 'overloaded']);
  expect(first.node!.status().load.refused).toBeGreaterThan(1_000);
  for (const sim of others) expect(sim.node!.status().load).toMatchObject({ state: 'calm', refused: 0 });
  expect(world.fatal).toEqual([]);
});

it('nothing is refused: caught, for who is admitted waits for more than a second', () => {
  const { world, load } = overloaded({ admitEverything: true });
  world.run(1_500);
  expect(load.told.filter((each) => !isDone(each))).toEqual([]);
  expect(slowest(load.told)).toBeGreaterThan(2 * 1_000 * ROW_MS + OVERLOAD_DELAY_MS_DEFAULT);
});

it('more orders of operators at once than a node takes: the further ones are refused, and taken again afterwards', () => {
  const world = new SmallWorld(93);
  const { node } = world.nodes[0]!;
  const told: string[] = [];
  const order = (): void =>
    node!.operate({ kind: 'describe' }, 1_000, (answer) =>
      told.push(answer.kind === 'failed' ? answer.failure.code : answer.kind),
    );
  for (let count = 0; count < CLUSTER_ORDERS_MAX + 3; count += 1) order();
  world.run(10);
  expect(told.filter((kind) => kind === 'described')).toHaveLength(CLUSTER_ORDERS_MAX);
  expect(told.filter((kind) => kind === 'overloaded')).toHaveLength(3);
  order();
  world.run(10);
  expect(told.at(-1)).toBe('described');
});

it('a plan of more members than may ask to join: refused by the name of the limit, and one of as many is made', () => {
  const world = new SmallWorld(94);
  const [one] = world.nodes as [SimNode];
  const planOf = (joinCount: number, leaveCount: number): string => {
    const joins = Array.from({ length: joinCount }, (_, at) => ({
      ...{ name: `new-${at}`, zone: '', host: '', weight: 1 },
    }));
    const leaves = Array.from({ length: leaveCount }, (_, at) => `old-${at}`);
    const answer = world.operate(one, { kind: 'plan', joins, leaves });
    return answer.kind === 'failed' ? `${answer.failure.code}: ${answer.failure.message}` : answer.kind;
  };
  expect(planOf(PLAN_MEMBERS_MAX, PLAN_MEMBERS_MAX)).toBe('planned');
  expect(planOf(3_000, 0)).toBe('invalid_argument: a plan has at most 64 joins, and not 3000');
  expect(planOf(1, 300_000)).toBe('invalid_argument: a plan has at most 64 leaves, and not 300000');
});

it('a plan in which one newcomer joins twice, or a member joins: not possible, and told why', () => {
  const world = new SmallWorld(96);
  const obstacleOf = (...names: string[]): string => {
    const joins = names.map((name) => ({ name, zone: '', host: '', weight: 1 }));
    const answer = world.operate(world.nodes[0]!, { kind: 'plan', joins, leaves: [] });
    return answer.kind === 'planned' ? answer.plan.obstacle : answer.kind;
  };
  expect(obstacleOf('new-1', 'new-2')).toBe('');
  expect(obstacleOf('new-1', 'new-2', 'new-1')).toBe('new-1 would join twice');
  expect(obstacleOf('new-1', 'node-2')).toBe('node-2 is a member already');
});

it('many clients ask who serves which slots: each is answered, and an order of an operator beside them is taken', () => {
  const world = new SmallWorld(95);
  const { node } = world.nodes[0]!;
  const told: string[] = [];
  const ask = (kind: 'slots' | 'describe'): void =>
    node!.operate({ kind }, 1_000, (answer) =>
      told.push(answer.kind === 'failed' ? answer.failure.code : answer.kind),
    );
  for (let count = 0; count < CLUSTER_ORDERS_MAX + 3; count += 1) ask('slots');
  ask('describe');
  world.run(10);
  expect(told.filter((kind) => kind === 'slots')).toHaveLength(CLUSTER_ORDERS_MAX + 3);
  expect(told.at(-1)).toBe('described');
});

it('more wait on one key than may: the further ones are refused, the others answered', () => {
  const world = new SmallWorld(94);
  world.database.rowMs = 200;
  const { node } = world.nodes[0]!;
  const replica = node!['keeper'].replica!;
  const told: string[] = [];
  const write = (): void =>
    replica.write(
      {
        operation: { kind: 'put', key: 'hot', value: Buffer.from('v'), ttlMs: 0, operationId: null },
        readsLegacy: false,
        isLegacyUnheard: false,
        begun: false,
        answered: false,
        retries: 0,
        answer: (result) => told.push(result.kind === 'failed' ? result.failure.code : result.kind),
      },
      slotOf('hot'),
    );
  const read = (): void =>
    replica.read(
      {
        key: 'hot',
        lowest: 0,
        answered: false,
        answer: (_sealed, problem) => told.push(problem === null ? 'read' : problem.code),
      },
      slotOf('hot'),
    );
  write();
  world.run(20);
  for (let count = 0; count < KEY_WAITERS_MAX + 2; count += 1) {
    write();
    read();
  }
  expect(told).toEqual(Array.from({ length: 4 }, () => 'overloaded'));
  world.run(8_000);
  expect(told.filter((each) => each === 'done')).toHaveLength(KEY_WAITERS_MAX + 1);
  expect(told.filter((each) => each === 'read')).toHaveLength(KEY_WAITERS_MAX);
});
