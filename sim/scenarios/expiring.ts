/** Scenarios of clocks that differ while records expire: whose clock counts. (PROTOCOL R26) */
import type { Mutations } from '../../src/core/mutations.ts';
import { ORIGIN_LEGACY, recordOf } from '../../src/core/record.ts';
import { slotOf } from '../../src/core/placement/slots.ts';
import { makeVersion } from '../../src/core/version.ts';
import { sealRecord } from '../../src/wire/record-codec.ts';
import { WALL_START_MS } from '../scheduler.ts';
import { SmallWorld } from '../small-world.ts';

/**
 * A value of the legacy source expires, and the source has another one by then. A conditional write comes while the
 * deletion is on its way, or has waited on the key since before the expiry: it depends on what the source says now.
 * (PROTOCOL R25)
 */
export function conditionWhileExpiring(mutations: Mutations): string {
  for (const comesBefore of [false, true]) {
    const verdict = conditionAndExpiry(mutations, comesBefore);
    if (verdict !== 'ok') return verdict;
  }
  return 'ok';
}

function conditionAndExpiry(mutations: Mutations, comesBefore: boolean): string {
  const key = 'fetched';
  const slot = slotOf(key);
  const content = { key, value: Buffer.from('older'), origin: ORIGIN_LEGACY, tombstone: false } as const;
  const times = { createdAt: WALL_START_MS, updatedAt: WALL_START_MS, expiresAt: WALL_START_MS + 3_000 };
  const record = recordOf({ ...content, ...times, operationId: null, contentType: null }, makeVersion(1, 1));
  const row = { record, slot, checksum: sealRecord(record).checksum };
  const world = new SmallWorld(6, {
    before: (each) => each.database.forge(key, row),
    withLegacy: true,
    mutations,
  });
  const node = world.ownersOf(key)[0]!.node!;
  if (world.text(world.ownersOf(key)[0]!, key) !== 'older') return 'it was not loaded';
  world.legacy.set(key, Buffer.from('newer'));
  world.database.rowMs = 500;
  if (comesBefore) {
    world.until(() => world.scheduler.time >= 2_900, 5_000);
    const sealed = node['keeper'].replica!.lastReadable(key, slot);
    if (sealed === undefined || sealed === 'untold') return 'it is not at rest';
    if (!node['keeper'].replica!.reaffirm(slot, sealed)) return 'it does not go round';
  } else {
    world.until(() => node.inspect(key).record?.tombstone === true, 5_000);
    if (node.inspect(key).valid) return 'its deletion is through already';
  }
  const told = world.write(world.ownersOf(key)[0]!, {
    ...{ kind: 'compareAndPut', key, expect: { kind: 'absent' }, operationId: null },
    ...{ value: Buffer.from('taken'), ttlMs: 0 },
  });
  if (told.kind !== 'conditionFailed') return `it was judged as absent: ${told.kind}`;
  return world.text(world.ownersOf(key)[0]!, key) === 'newer' ? 'ok' : 'the source was not asked';
}

/**
 * By the first owner's clock the key has expired, by the second one's it is still readable: it is not deleted before
 * the second one's clock has passed the time, too.
 */
export function expiryAskedTooEarly(mutations: Mutations): string {
  const world = new SmallWorld(4, { mutations });
  const [first, behind] = world.ownersOf('short');
  behind!.clocks.wallOffset -= 2_000;
  const put = world.put(first!, 'short', 'x', 200);
  world.run(400);
  const version = put.kind === 'done' ? put.version : 0;
  let isDone = false;
  first!.node!.write({ kind: 'expire', key: 'short', version, operationId: null }, 10_000, (result) => {
    isDone = result.kind === 'done';
  });
  world.run(500);
  if (behind!.node!.inspect('short').record?.tombstone === true)
    return 'deleted at an owner by whose clock it has not expired';
  if (world.text(behind!, 'short') !== 'x') return 'gone before its time';
  world.run(5_000);
  return isDone && world.text(behind!, 'short') === undefined ? 'ok' : 'it was not deleted at all';
}
