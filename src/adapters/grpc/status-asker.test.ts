/** Asking another member for its status over its public gRPC port, with a limit on the wait. */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeNodeApi } from '../../../test/support/fake-node-api.ts';
import { createDoors } from '../../servers/grpc/doors.ts';
import type { NodeStatus } from '../../node/status.ts';
import { StatusAsker } from './status-asker.ts';

let server: Server;
let address: string;
let asker: StatusAsker;
beforeEach(async () => {
  server = new Server();
  createDoors(server, new FakeNodeApi(), { valueBytesMax: 1_000 });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  address = `127.0.0.1:${port}`;
  asker = new StatusAsker(new Map([['moved', address]]));
});
afterEach(() => {
  asker.close();
  server.forceShutdown();
});

const ask = (name: string, at: string, timeoutMs = 5_000): Promise<string | null> =>
  new Promise((resolve) => asker.ask(name, at, timeoutMs, resolve));

test('a member that is there: what it tells of itself, also when it was hung up meanwhile', async () => {
  expect((JSON.parse((await ask('fake', address))!) as NodeStatus).name).toBe('fake');
  asker.close();
  expect(await ask('fake', address)).not.toBeNull();
});

test('a member that is dialled elsewhere than it is known: asked there', async () => {
  expect(await ask('moved', '192.0.2.1:1')).not.toBeNull();
});

test('nobody at the address, and somebody who never says a word: null, in time', async () => {
  expect(await ask('gone', '127.0.0.1:1')).toBeNull();
  const mute = createServer(() => undefined);
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  expect(await ask('mute', `127.0.0.1:${(mute.address() as AddressInfo).port}`, 200)).toBeNull();
  asker.close();
  mute.close();
});
