/** Stories of clocks that differ while records expire: whose word counts. (PROTOCOL R26) */
import type { Mutations } from '../../src/core/mutations.ts';
import { SmallWorld } from '../small-world.ts';

/** The first owner deletes by its clock what by the second one's is still readable: not before that has come, too. */
export function expiryAskedTooEarly(mutations: Mutations): string {
  const world = new SmallWorld(4, undefined, 3, 0, false, mutations);
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
