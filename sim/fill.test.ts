/** What readers are told that wait for a legacy value being stored, if nobody can say whether it will be. */
import { expect, it } from 'vitest';
import type { ReadResult, WriteResult } from '../src/core/operation.ts';
import { SmallWorld } from './small-world.ts';

it('a fill is not seen to finish: neither a read nor an increment that waited for it may have happened', () => {
  const world = new SmallWorld(1, { withLegacy: true, mutations: { keepSlow: true } });
  world.legacy.set('old', Buffer.from('5'));
  const [first, second] = world.ownersOf('old');
  second!.disk.slowMs = 60_000;
  let read: ReadResult | null = null;
  let written: WriteResult | null = null;
  first!.node!.get('old', 20_000, (result) => (read = result));
  const one = { kind: 'increment', key: 'old', delta: 1n, operationId: null } as const;
  first!.node!.write(one, 20_000, (result) => (written = result));
  world.until(() => read !== null && written !== null, 15_000);
  expect(read).toMatchObject({ kind: 'failed', failure: { code: 'read_timeout' } });
  expect(written).toMatchObject({ kind: 'failed', failure: { code: 'deadline_before_start' } });
});
