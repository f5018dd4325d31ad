/** A client is closed while calls are under way: what was handed to no connection did not happen, and says so. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually, openDoors } from '../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../test/support/grpc-call.ts';
import { connect, newOperationId } from './index.ts';
import type { CausewayClient } from './index.ts';

let doors: DoorFixture;
let client: CausewayClient;
beforeEach(async () => {
  doors = await openDoors();
  client = connect({ nodes: [doors.address], timeoutMs: 100_000, connectTimeoutMs: 100_000 });
});
afterEach(async () => {
  client.close();
  await doors.stop();
});

const closed = { reason: { name: 'CausewayError', code: 'transport', certainty: 'definite' } };

test('right after calls were made, when a connection stands: nothing is sent, each failed definitely', async () => {
  await client.get('a');
  const callsBefore = doors.api.calls.length;
  const made = [
    client.set('a', 'x'),
    client.set('a', 'x', { operationId: newOperationId() }),
    client.setMany([{ key: 'a', value: 'x' }]).then((outcomes) => {
      if (!outcomes[0]!.ok) throw outcomes[0]!.error;
    }),
    client.finishUpgrade(),
    client.scrub(doors.address, { readBytesPerSecond: 0 } as never),
    client.export('').next(),
    client.pipeline(),
  ];
  client.close();
  for (const each of await Promise.allSettled(made)) expect(each).toMatchObject(closed);
  expect(doors.api.calls).toHaveLength(callsBefore);
});

test('while a call waits for its first connection: it did not happen', async () => {
  const made = [client.set('a', 'x'), client.pipeline()];
  client.close();
  for (const each of await Promise.allSettled(made)) expect(each).toMatchObject(closed);
  expect(doors.api.calls).toEqual([]);
});

test('operations wait in a pipeline for the end of the turn: none is sent, each failed definitely', async () => {
  const pipeline = await client.pipeline();
  await pipeline.set('a', 'x');
  const made = [pipeline.set('b', 'x'), pipeline.set('c', 'x')];
  client.close();
  for (const each of await Promise.allSettled(made)) expect(each).toMatchObject(closed);
  expect([...doors.api.records.keys()]).toEqual(['a']);
});

test('when a node has the write: it may have happened', async () => {
  doors.api.holding = true;
  const made = client.set('a', 'x');
  await eventually(() => doors.api.calls.length === 1, 'the node has it');
  client.close();
  await expect(made).rejects.toMatchObject({ code: 'transport', certainty: 'indefinite' });
});

test('a write is repeated under its id, its outcome being unknown: no further attempt, and it may have happened', async () => {
  doors.api.failWith = 'outcome_unknown';
  const made = client.set('a', 'x', { operationId: newOperationId() });
  await eventually(() => doors.api.calls.length > 1, 'it is repeated');
  client.close();
  await expect(made).rejects.toMatchObject({ certainty: 'indefinite' });
});

test('a scan goes from node to node, as none is ready: it ends', async () => {
  doors.api.failWith = 'not_ready';
  doors.api.waiting.add('a');
  const made = client.scan().next();
  await client.get('a').catch(() => undefined);
  client.close();
  await expect(made).rejects.toMatchObject({ code: 'transport', certainty: 'definite' });
});
