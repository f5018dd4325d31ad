/** The server of a process as its HTTP/2 library sees it. */
import { connect, createServer } from 'node:http2';
import type { ServerOptions } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { ServerCredentials } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { RESETS, http2OptionsOf, makeGrpcServer } from './grpc-server.ts';

/** More than the library's own bound, which is 1,000 in reserve. */
const CANCELS = 3_000;
const AT_ONCE = 50;
const BOUND_MS = 5;

/** Begins calls and cancels them; resolves to false if the connection is closed for it. */
function survives(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const session = connect(`http://127.0.0.1:${port}`);
    session.on('error', () => undefined);
    session.on('close', () => resolve(false));
    let cancelled = 0;
    const goOn = (): void => {
      if (session.closed || session.destroyed) return;
      if (cancelled >= CANCELS) {
        session.ping((error) => {
          resolve(error === null);
          session.destroy();
        });
        return;
      }
      for (let each = 0; each < AT_ONCE; each += 1) {
        const stream = session.request({
          ':method': 'POST',
          ':path': '/x',
          'content-type': 'application/grpc',
        });
        stream.on('error', () => undefined);
        stream.close(8);
        cancelled += 1;
      }
      setTimeout(goOn, BOUND_MS);
    };
    goOn();
  });
}

/** Whether this version of Node knows these settings. */
async function isSettable(): Promise<boolean> {
  const server = createServer({ ...RESETS } as ServerOptions);
  server.on('stream', (stream) => stream.on('error', () => undefined));
  server.on('sessionError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const isSurvived = await survives((server.address() as AddressInfo).port);
  server.close();
  return isSurvived;
}

test('grpc-js opens its port with the settings that are made here', () => {
  expect(http2OptionsOf(makeGrpcServer(1_000))).toMatchObject(RESETS);
});

test('a client cancels thousands of calls on one connection: it stays open, where Node has a setting for that', async (context) => {
  if (!(await isSettable()))
    return context.skip(`Node.js ${process.versions.node} has no setting for resets`);
  const server = makeGrpcServer(1_000);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  expect(await survives(port)).toBe(true);
  server.forceShutdown();
});
