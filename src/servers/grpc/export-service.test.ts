/** Exports over a real connection: a client that does not read holds up only itself, and few may be open. */
import type { ClientReadableStream } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EXPORT_STREAMS_MAX } from '../../core/clients/grpc-limits.ts';
import { causeway } from '../../gen/protocol.js';
import { CallError, eventually, openDoors } from '../../../test/support/grpc-call.ts';
import type { DoorFixture } from '../../../test/support/grpc-call.ts';

const { ExportRequest, ExportPage } = causeway.v1;

let doors: DoorFixture;
beforeEach(async () => {
  doors = await openDoors();
  doors.api.scanPageMax = 1;
  for (const key of ['a', 'b', 'c']) doors.api.put(key, 'value');
});
afterEach(() => doors.stop());

interface Export {
  readonly stream: ClientReadableStream<causeway.v1.ExportPage>;
  readonly keys: string[];
  readonly ended: Promise<CallError | null>;
}

function open(after = ''): Export {
  const stream = doors.client.makeServerStreamRequest(
    '/causeway.v1.KeyValue/Export',
    (request: causeway.v1.ExportRequestFields) => ExportRequest.encode(request).finish() as Buffer,
    (bytes: Buffer) => ExportPage.decode(bytes),
    { after },
  );
  const keys: string[] = [];
  stream.on('data', ({ entries }: causeway.v1.ExportPage) => keys.push(...entries.map(({ key }) => key)));
  const ended = new Promise<CallError | null>((resolve) => {
    stream.on('error', (error) => resolve(new CallError(error as never)));
    stream.on('end', () => resolve(null));
  });
  return { stream, keys, ended };
}

test('a client that does not read: few pages are read from the node for it; it reads: it gets every record', async () => {
  const pages = 40;
  for (let key = 0; key < pages; key += 1) doors.api.put(`key-${key}`, 'v'.repeat(500_000));
  const { stream, keys, ended } = open();
  stream.pause();
  await eventually(() => doors.api.calls.length > 1, 'the first pages');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(doors.api.calls.length).toBeLessThan(pages / 2);
  stream.resume();
  expect(await ended).toBeNull();
  expect(keys).toEqual([...doors.api.records.keys()].sort());
});

test('an export goes on where another one has ended: from the next key', async () => {
  const { keys, ended } = open('a');
  expect(await ended).toBeNull();
  expect(keys).toEqual(['b', 'c']);
});

test('more exports than may be open: refused, definitely, until one has ended', async () => {
  doors.api.holding = true;
  const opened = Array.from({ length: EXPORT_STREAMS_MAX }, () => open());
  await eventually(() => doors.api.heldCount === EXPORT_STREAMS_MAX, 'every export at work');
  expect(await open().ended).toMatchObject({ causewayCode: 'overloaded', certainty: 'definite' });
  opened[0]!.stream.cancel();
  await opened[0]!.ended;
  doors.api.release();
  expect(await opened[1]!.ended).toBeNull();
  const next = open();
  expect(await next.ended).toBeNull();
  expect(next.keys).toEqual(['a', 'b', 'c']);
});

test('a page fails, or the door is closed: the export ends with the reason', async () => {
  doors.api.failWith = 'read_timeout';
  expect(await open().ended).toMatchObject({ causewayCode: 'read_timeout' });
  doors.api.failWith = undefined;
  doors.api.holding = true;
  const { ended } = open();
  await eventually(() => doors.api.heldCount === 1, 'the export at work');
  doors.doors.close();
  expect(await ended).toMatchObject({ causewayCode: 'not_ready' });
});
