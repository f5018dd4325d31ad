/**
 * Persistence: plain SQL sees every write; all nodes are killed at once under load and come back with everything, from
 * their disks, and again from PostgreSQL alone after their disks were removed. Clients continue throughout, so a read
 * of something unfinished that is missing later would show in their history.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '../src/client/index.ts';
import { textOf } from './call.ts';
import type { TimedOperation } from './chaos/run-lines.ts';
import { judge, SUCCEEDED_MIN } from './judge.ts';
import { Load, LOAD_PLAN_DEFAULT } from './load.ts';
import type { Report, RunOptions } from './options.ts';
import { sqlRows, until, untilReady, type World } from './world.ts';

const SQL_WRITES = 200;
/** Shares of the time: under load before the first fault, between the two and after the second. */
const LOAD_SHARE = 1 / 3;
const PROGRESS_TIMEOUT_MS = 60_000;
/** Acknowledged writes that show that the cluster works again. */
const PROGRESS_WRITES = 50;

export interface PersistencePlan extends RunOptions {
  /** Default: that of a full run. */
  readonly succeededMin?: number;
}

export async function runPersistence(world: World, plan: PersistencePlan): Promise<Report> {
  const { tell, seconds } = plan;
  await untilReady(world);
  const prefix = `verify:persistence:${Date.now()}:`;
  const names = world.nodes.map(({ name }) => name);
  const history: TimedOperation[] = [];
  const load = new Load(
    world.nodes.map(({ address }) => address),
    { ...LOAD_PLAN_DEFAULT, prefix, onOperation: (operation) => history.push(operation) },
  );
  tell('writes, seen by plain SQL');
  const faults = await seenBySql(world, load);
  const shareMs = seconds * 1_000 * LOAD_SHARE;
  load.start();
  try {
    await delay(shareMs);
    tell(`all ${names.length} nodes are killed with kill -9, after ${load.succeeded} operations`);
    await world.kill(names);
    await worksAgain(world, load);
    await delay(shareMs);
    tell(`all ${names.length} nodes are killed and their data removed, after ${load.succeeded} operations`);
    await world.killAndWipe(names);
    await worksAgain(world, load);
    await delay(shareMs);
  } finally {
    await load.stop();
  }
  const judged = await judge(world, load, history, tell);
  faults.push(...judged.faults);
  const succeededMin = plan.succeededMin ?? SUCCEEDED_MIN;
  if (load.succeeded < succeededMin) {
    faults.push(`only ${load.succeeded} operations succeeded, at least ${succeededMin} must`);
  }
  return {
    verdict: faults.length === 0 ? 'passed' : 'failed',
    faults,
    told: [
      `plain SQL    ${SQL_WRITES} writes looked up in causeway.record, each as soon as it was acknowledged`,
      `kill -9      all ${names.length} nodes at once under load: once with their disks, once without`,
      ...judged.told,
    ],
    figures: { nodes: names.length, sqlWrites: SQL_WRITES, ...judged.figures },
  };
}

/**
 * Each write must be in the table by the time it is acknowledged, not some time later. These writes are part of the
 * history.
 */
async function seenBySql(world: World, load: Load): Promise<string[]> {
  const client = connect({ nodes: world.nodes.map(({ address }) => address) });
  const faults: string[] = [];
  try {
    for (let number = 0; number < SQL_WRITES; number += 1) {
      const [key, value] = [`${load.prefix}sql:${number}`, `written ${number}`];
      const version = await client.set(key, value);
      load.note({ key, client: 'sql', call: { kind: 'put', value }, outcome: { kind: 'done', version } });
      const text = 'select value, version from causeway.record where key = $1 and not deleted';
      const [row] = await sqlRows(world, text, [key]);
      const stands = row === undefined ? 'nothing' : textOf(row['value'] as Uint8Array);
      if (stands !== value || Number(row?.['version']) !== version) {
        faults.push(`${key}: version ${version} was acknowledged as '${value}', PostgreSQL holds ${stands}`);
      }
    }
  } finally {
    client.close();
  }
  return faults;
}

async function worksAgain(world: World, load: Load): Promise<void> {
  await untilReady(world);
  const wanted = load.acknowledged + PROGRESS_WRITES;
  await until('writes are acknowledged again', async () => load.acknowledged >= wanted, PROGRESS_TIMEOUT_MS);
}
