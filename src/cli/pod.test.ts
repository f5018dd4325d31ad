/** What a pod does before its end, with a fake API server and a fake node. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createPlain } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { keptIo } from '../../test/support/command-io.ts';
import { skipWithout } from '../../test/support/skipped.ts';
import { askWanted } from './kubernetes-api.ts';
import { runCommand } from './main.ts';
import { ordinalOf, podEnd } from './pod-end.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let account: string;
const servers: Server[] = [];

beforeEach(() => {
  account = mkdtempSync(join(tmpdir(), 'causeway-test-'));
  writeFileSync(join(account, 'token'), 'secret-token\n');
  writeFileSync(join(account, 'namespace'), 'data');
});
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
  rmSync(account, { recursive: true });
});

async function listening(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function apiOf(answer: Answer): Promise<string> {
  return `http://127.0.0.1:${await listening(createPlain(answer))}`;
}

function wants(replicas: number, more: object = {}): Answer {
  return (_request, response) => response.end(JSON.stringify({ metadata: {}, spec: { replicas }, ...more }));
}

async function stopped(
  api: string,
  http: string,
  ...words: string[]
): Promise<{ code: number; said: string }> {
  const { io, ran } = keptIo();
  const around = ['--api', api, '--account', account, '--http', http, '--grpc', '127.0.0.1:9'];
  await runCommand(['pod', 'stop', '--stateful-set', 'shop', '--pod', 'shop-1', ...around, ...words], io);
  return { code: ran.code, said: ran.err };
}

describe('what the end of a pod means', () => {
  test.each([
    [2, { replicas: 3, start: 0, isDeleted: false }, 'restarts'],
    [3, { replicas: 3, start: 0, isDeleted: false }, 'leaves'],
    [3, { replicas: 3, start: 1, isDeleted: false }, 'restarts'],
    [0, { replicas: 3, start: 1, isDeleted: false }, 'leaves'],
    // Everything is being stopped: a node that left would have to copy all its data again when the cluster returns.
    [2, { replicas: 0, start: 0, isDeleted: false }, 'stops'],
    [5, { replicas: 3, start: 0, isDeleted: true }, 'stops'],
    [5, null, 'stops'],
  ] as const)('ordinal %i of %j: %s', (ordinal, wanted, end) => {
    expect(podEnd(ordinal, wanted)).toBe(end);
  });

  test('the ordinal is the number behind the name of the set, and of no other set', () => {
    expect(ordinalOf('shop-cache-12', 'shop-cache')).toBe(12);
    for (const pod of [
      'shop-cache',
      'shop-cache-',
      'shop-cache-01',
      'shop-cache-x',
      'other-1',
      'shop-cache-1-2',
    ])
      expect(ordinalOf(pod, 'shop-cache')).toBeUndefined();
  });
});

describe('the API server', () => {
  test('is asked for this set in this namespace, with the token of the pod', async () => {
    let asked = '';
    const url = await apiOf((request, response) => {
      asked = `${request.method} ${request.url} ${request.headers.authorization}`;
      wants(4, { spec: { replicas: 4, ordinals: { start: 2 } } })(request, response);
    });
    expect(await askWanted({ url, account }, 'shop')).toEqual({ replicas: 4, start: 2, isDeleted: false });
    expect(asked).toBe('GET /apis/apps/v1/namespaces/data/statefulsets/shop Bearer secret-token');
  });

  test('says that the set is gone, or is being removed', async () => {
    const gone = await apiOf((_request, response) => response.writeHead(404).end());
    expect(await askWanted({ url: gone, account }, 'shop')).toBeNull();
    const going = await apiOf(wants(3, { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }));
    expect(await askWanted({ url: going, account }, 'shop')).toMatchObject({ isDeleted: true });
  });

  test('is believed only where its certificate is signed by the authority of the account', async (context) => {
    if (spawnSync('openssl', ['version']).status !== 0) return skipWithout('openssl', context);
    const make = (name: string): { key: Buffer; cert: Buffer } => {
      const [key, cert] = [join(account, `${name}.key`), join(account, `${name}.crt`)];
      const subject = ['-subj', '/CN=api', '-addext', 'subjectAltName=IP:127.0.0.1'];
      const shape = [
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
      ];
      execFileSync('openssl', ['req', ...shape, '-keyout', key, '-out', cert, ...subject], {
        stdio: 'ignore',
      });
      return { key: readFileSync(key), cert: readFileSync(cert) };
    };
    const [own, other] = [make('ca'), make('other')];
    const known = await listening(createSecure(own, wants(3)));
    expect(await askWanted({ url: `https://127.0.0.1:${known}`, account }, 'shop')).toMatchObject({
      replicas: 3,
    });
    const unknown = await listening(createSecure(other, wants(3)));
    await expect(askWanted({ url: `https://127.0.0.1:${unknown}`, account }, 'shop')).rejects.toThrow(
      'self-signed',
    );
  });
});

describe('a pod that is to come back', () => {
  test('waits until the node may be stopped, and tells why it waits', async () => {
    let asked = 0;
    const node = await listening(
      createPlain((_request, response) => {
        asked += 1;
        response.writeHead(asked < 2 ? 503 : 200).end(asked < 2 ? 'node-2 is away' : 'safe');
      }),
    );
    const { code, said } = await stopped(await apiOf(wants(3)), `127.0.0.1:${node}`);
    expect({ code, asked }).toEqual({ code: 0, asked: 2 });
    expect(said).toContain('not yet safe to stop: node-2 is away');
  });

  test('takes a node that misses one question for busy, not for gone', async () => {
    let asked = 0;
    const node = await listening(
      createPlain((request, response) => {
        asked += 1;
        if (asked === 1) request.socket.destroy();
        else response.writeHead(asked < 3 ? 503 : 200).end('node-2 is away');
      }),
    );
    const { code, said } = await stopped(await apiOf(wants(3)), `127.0.0.1:${node}`);
    expect({ code, asked }).toEqual({ code: 0, asked: 3 });
    expect(said).toContain('not yet safe to stop: node-2 is away');
  });

  test('waits no longer than it may, and for nobody who does not answer', async () => {
    const node = await listening(createPlain((_request, response) => response.writeHead(503).end('no')));
    const late = await stopped(await apiOf(wants(3)), `127.0.0.1:${node}`, '--safe-seconds', '1');
    expect(late.code).toBe(3);
    expect(late.said).toContain('still not safe to stop after 1 s');
    expect(await stopped(await apiOf(wants(3)), '127.0.0.1:9')).toMatchObject({ code: 0 });
  });
});

test('a pod that stops with all others waits for nobody', async () => {
  let asked = 0;
  const node = await listening(
    createPlain((_request, response) => {
      asked += 1;
      response.writeHead(503).end('no');
    }),
  );
  expect(await stopped(await apiOf(wants(0)), `127.0.0.1:${node}`)).toEqual({ code: 0, said: '' });
  expect(asked).toBe(0);
});

test('whose set does not know it is told so', async () => {
  const { code, said } = await stopped('http://127.0.0.1:9', '127.0.0.1:9', '--pod', 'other-1');
  expect(code).toBe(2);
  expect(said).toContain('other-1 is no pod of shop');
});
