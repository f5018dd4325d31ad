/**
 * An operator adopts another PostgreSQL: a backup in a new server, an empty one, or the same one from before the
 * founding. What the owners hold is driven into it, and a node that still talks to the previous one acknowledges
 * nothing. (PROTOCOL R30)
 */
import { describe, expect, it } from 'vitest';
import { NO_MUTATIONS } from '../src/core/mutations.ts';
import type { Mutations } from '../src/core/mutations.ts';
import type { AdoptRecordOrder, ClusterAnswer, RecordServerFacts } from '../src/node/cluster-orders.ts';
import type { SimNode } from './cluster.ts';
import { SimRecordServer } from './record-server.ts';
import { SmallWorld } from './small-world.ts';

const KEYS = Array.from({ length: 20 }, (_, index) => `key:${index}`);
const LOST = 12;

function written(seed: number, mutations: Mutations = NO_MUTATIONS): SmallWorld {
  const world = new SmallWorld(seed, { mutations });
  world.run(500);
  KEYS.forEach((key, at) =>
    expect(world.put(world.nodes[at % 3]!, key, `first ${key}`)).toMatchObject({ kind: 'done' }),
  );
  world.run(500);
  return world;
}

/** Restarts the node with that server in its configuration; null means the server of all the others. */
function pointAt(world: SmallWorld, sim: SimNode, server: SimRecordServer | null): void {
  world.cluster.kill(sim);
  world.database.point(sim.name, server);
  world.cluster.start(sim);
  world.until(() => world.cluster.isWhole(), 20_000);
}

function told(world: SmallWorld, sim: SimNode): RecordServerFacts {
  const answer = world.operate(sim, { kind: 'recordServer' });
  expect(answer.kind).toBe('recordServer');
  return (answer as Extract<ClusterAnswer, { kind: 'recordServer' }>).facts;
}

/** Adopts exactly what was shown a moment ago. */
function adopt(world: SmallWorld, sim: SimNode, order: Partial<AdoptRecordOrder> = {}): ClusterAnswer {
  const { seen } = told(world, sim);
  return world.operate(sim, { kind: 'adoptRecord', seen, isBackup: false, mayLose: false, ...order });
}

const refused = (message: string): object => ({
  kind: 'failed',
  failure: { code: 'invalid_argument', message: expect.stringContaining(message) as string },
});

/** Keys of which the server has another version than every owner. */
function missing(world: SmallWorld, server = world.database.server): string[] {
  return KEYS.filter((key) => {
    const held = world.nodes.find(({ node }) => node !== null)!.node!.inspect(key).record;
    return server.standing(key)?.record.version !== held?.version;
  });
}

const isDriven = (world: SmallWorld): boolean =>
  world.nodes.every(({ node }) => {
    const record = node?.membership.topology?.record;
    return record !== undefined && record.drive > 0 && record.driven;
  });

/** Restarts the other nodes with that server as well, one after the other. */
function pointAllAt(world: SmallWorld, server: SimRecordServer, first: SimNode): void {
  const others = world.nodes.filter((sim) => sim !== first);
  world.database.becomes(
    server,
    others.map(({ name }) => name),
  );
  for (const sim of others) pointAt(world, sim, null);
}

describe('a backup is restored into another server', () => {
  it('a node that sees it serves on, and says what it sees; until it is accepted nothing is done to it', () => {
    const world = written(171);
    const backup = world.database.server.restoredAs('new', LOST);
    const [first, second] = world.nodes as [SimNode, SimNode];
    pointAt(world, first, backup);
    expect(world.text(first, KEYS[3]!)).toBe(`first ${KEYS[3]}`);
    const { record } = first.node!.status();
    expect(record).toMatchObject({ state: 'down', isForeign: true, known: { system: 'sim' } });
    expect(record.seen).toEqual({ system: 'new', timeline: 1 });
    expect(world.put(second, KEYS[3]!, 'to the former one')).toMatchObject({ kind: 'done' });
    expect(told(world, first)).toMatchObject({
      ...{ verdict: 'ready', hasRows: true, rowCount: KEYS.length - LOST, loses: '' },
      known: { system: 'sim', timeline: 1 },
    });
    expect(backup.tell()).toEqual({ ...world.database.server.tell(), system: 'new' });
    expect(world.fatal).toEqual([]);
  });

  it('accepted, an epoch names it, and everything that it lacks is committed to it', () => {
    const world = written(172);
    const backup = world.database.server.restoredAs('new', LOST);
    const [first] = world.nodes as [SimNode];
    pointAt(world, first, backup);
    expect(adopt(world, first)).toMatchObject({ kind: 'changed' });
    pointAllAt(world, backup, first);
    world.until(() => isDriven(world), 10_000);
    expect(missing(world)).toEqual([]);
    const { known, seen, isForeign } = first.node!.status().record;
    expect(known!.system).toMatch(/^new#[0-9a-f]{16}$/);
    expect(seen).toEqual(known);
    expect(isForeign).toBe(false);
    expect(world.put(first, KEYS[0]!, 'after')).toMatchObject({ kind: 'done' });
    expect(Buffer.from(backup.standing(KEYS[0]!)!.record.value).toString()).toBe('after');
  });

  it('it is taken to have everything: caught', () => {
    const world = written(172, { adoptUndriven: true });
    const backup = world.database.server.restoredAs('new', LOST);
    const [first] = world.nodes as [SimNode];
    pointAt(world, first, backup);
    expect(adopt(world, first)).toMatchObject({ kind: 'changed' });
    expect(missing(world, backup).length).toBe(LOST);
    expect(first.node!.membership.topology!.record!.driven).toBe(true);
  });

  it('it fails over later: that is an epoch as ever, and no word of an operator is asked', () => {
    const world = written(173);
    const backup = world.database.server.restoredAs('new', LOST);
    const [first] = world.nodes as [SimNode];
    pointAt(world, first, backup);
    expect(adopt(world, first)).toMatchObject({ kind: 'changed' });
    pointAllAt(world, backup, first);
    world.until(() => isDriven(world), 10_000);
    world.database.failOver(3);
    world.until(() => first.node!.membership.topology!.record!.timeline === 2, 10_000);
    world.until(() => isDriven(world), 10_000);
    expect(missing(world)).toEqual([]);
  });
});

/** Adopted at one node while the others still have the former server in their configuration, and reach it. */
function writtenAtFormer(mutations: Mutations): { kind: string; stands: boolean } {
  const world = written(174, mutations);
  const backup = world.database.server.restoredAs('new', LOST);
  const [first, second] = world.nodes as [SimNode, SimNode];
  pointAt(world, first, backup);
  expect(adopt(world, first)).toMatchObject({ kind: 'changed' });
  world.until(() => second.node!.membership.topology!.record!.system !== 'sim', 5_000);
  world.run(1_000);
  const { kind } = world.put(second, KEYS[0]!, 'late');
  return { kind, stands: Buffer.from(backup.standing(KEYS[0]!)?.record.value ?? '').toString() === 'late' };
}

describe('a node still talks to the server of before', () => {
  it('it acknowledges nothing any more, and says why', () => {
    expect(writtenAtFormer({})).toEqual({ kind: 'failed', stands: false });
  });

  it('it goes on with it: caught, for it acknowledges what the server in use never gets', () => {
    expect(writtenAtFormer({ keepFormerServer: true })).toEqual({ kind: 'done', stands: false });
  });

  it('the server of before fails over, and has the founding: nobody goes back to it', () => {
    const world = written(175);
    const former = world.database.server;
    const backup = former.restoredAs('new', LOST);
    const [first, second] = world.nodes as [SimNode, SimNode];
    pointAt(world, first, backup);
    expect(adopt(world, first)).toMatchObject({ kind: 'changed' });
    world.database.failOver(0);
    pointAt(world, second, null);
    world.run(3_000);
    expect(first.node!.membership.topology!.record!.system).toMatch(/^new#/);
    expect(second.node!.status().record).toMatchObject({ state: 'down', isForeign: true });
  });
});

describe('what is there to be accepted', () => {
  it('an empty server: it gets the founding, and everything', () => {
    const world = written(176);
    const [first] = world.nodes as [SimNode];
    const empty = new SimRecordServer('new');
    pointAt(world, first, empty);
    expect(told(world, first)).toMatchObject({ verdict: 'ready', hasRows: false, rowCount: 0 });
    expect(adopt(world, first)).toMatchObject({ kind: 'changed' });
    pointAllAt(world, empty, first);
    world.until(() => isDriven(world), 10_000);
    expect(missing(world)).toEqual([]);
  });

  it('the server in use: there is nothing to do', () => {
    const world = written(177);
    expect(told(world, world.nodes[0]!).verdict).toBe('inUse');
    expect(adopt(world, world.nodes[0]!)).toMatchObject(refused('the one in use'));
  });

  it('the server of another cluster: never', () => {
    const world = written(178);
    const other = new SimRecordServer('new');
    other.found(0, 'another cluster');
    pointAt(world, world.nodes[0]!, other);
    expect(adopt(world, world.nodes[0]!, { isBackup: true })).toMatchObject(refused('another cluster'));
    expect(other.tell()).toMatchObject({ clusterId: 'another cluster', system: 'new' });
  });

  it('another server than was shown: nothing is done', () => {
    const world = written(179);
    const [first] = world.nodes as [SimNode];
    pointAt(world, first, new SimRecordServer('new'));
    const { seen } = told(world, first);
    world.database.point(first.name, new SimRecordServer('newer'));
    expect(adopt(world, first, { seen })).toMatchObject(refused('look again'));
  });

  it('who claimed it has died before an epoch named it: the server of before goes on, and it is claimed anew', () => {
    const world = written(180);
    const [first, second] = world.nodes as [SimNode, SimNode];
    const empty = new SimRecordServer('new');
    pointAt(world, first, empty);
    const { seen } = told(world, first);
    const order = { seen, isBackup: false, mayLose: false };
    first.node!.operate({ kind: 'adoptRecord', ...order }, 5_000, () => undefined);
    world.until(() => empty.tell().clusterId !== '', 5_000);
    pointAt(world, first, empty);
    expect(world.put(second, KEYS[0]!, 'to the former one')).toMatchObject({ kind: 'done' });
    expect(adopt(world, first)).toMatchObject({ kind: 'changed' });
    pointAllAt(world, empty, first);
    world.until(() => isDriven(world), 10_000);
    expect(missing(world)).toEqual([]);
  });
});

describe('a server is set back to before the founding', () => {
  it('nothing is written to it, nobody ends for it, and it is told what there is to do', () => {
    const world = written(181);
    world.database.empty();
    world.run(3_000);
    expect(world.put(world.nodes[0]!, KEYS[0]!, 'x')).toMatchObject({ kind: 'failed' });
    for (const { node } of world.nodes) expect(node!.status().record).toMatchObject({ isForeign: true });
    expect(world.text(world.nodes[1]!, KEYS[0]!)).toBe(`first ${KEYS[0]}`);
    expect(world.fatal).toEqual([]);
    expect([...world.database.allRows()]).toEqual([]);
  });

  it('accepted, it gets everything again; rows without a founding take the word that they are this cluster’s', () => {
    const world = written(182);
    const early = world.database.server.standing(KEYS[0]!)!;
    world.database.empty();
    world.database.forge(KEYS[0]!, early);
    world.run(3_000);
    const [first] = world.nodes as [SimNode];
    expect(told(world, first).verdict).toBe('earlier');
    expect(adopt(world, first)).toMatchObject(refused('a backup of this cluster'));
    expect(adopt(world, first, { isBackup: true })).toMatchObject({ kind: 'changed' });
    world.until(() => isDriven(world), 10_000);
    expect(missing(world)).toEqual([]);
    expect(world.put(world.nodes[1]!, KEYS[1]!, 'after')).toMatchObject({ kind: 'done' });
  });
});
