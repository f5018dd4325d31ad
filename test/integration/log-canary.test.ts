/**
 * A whole process with a secret in every setting that can hold one, while everything around it fails in ways that tempt
 * it to repeat what it was given: servers that echo requests, damaged answers, slow operations, a database that
 * refuses.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../src/client/index.ts';
import { postgresThatEchoes } from '../support/postgres-that-echoes.ts';
import {
  buildProgram,
  freePorts,
  runProgram,
  temporaryDirectory,
  until,
} from '../support/supervisor-program.ts';

/** One for each place; none is a part of another. */
const SECRET = {
  databasePassword: 'canary-one-3f1b',
  databaseOption: 'canary-two-88d0',
  headerPlain: 'canary-three-5c2e',
  headerFromVariable: 'canary-four-e07a',
  headerFromFile: 'canary-five-91bd',
  respPassword: 'canary-six-20c4',
  urlQuery: 'canary-seven-7d6f',
  unknownSetting: 'canary-eight-44a9',
  value: 'canary-nine-b3e8',
};
const KEY = 'customer:canary-ten-6a15';

let program: Awaited<ReturnType<typeof buildProgram>>;
const directory = temporaryDirectory();
const closes: (() => void)[] = [];

beforeAll(async () => {
  program = await buildProgram('src/cli/main.ts');
});
afterAll(() => {
  for (const close of closes) close();
  program.remove();
  directory.remove();
});

/** Answers each request with the next of the ways in which a legacy system misbehaves; each echoes the request. */
async function legacyThatEchoes(): Promise<{ url: string; asked: () => number }> {
  let asked = 0;
  const server: Server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const echo = JSON.stringify({
      headers: request.headers,
      url: request.url,
      key: 'another',
      value: SECRET.value,
    });
    const status = [401, 500, 200, 302, 200][asked % 5]!;
    asked += 1;
    response.writeHead(status, { location: `http://me:${SECRET.headerPlain}@elsewhere/${echo.length}` });
    // The last one breaks off in the middle.
    if (asked % 5 === 0) response.write(echo.slice(0, 40), () => response.destroy());
    else response.end(asked % 5 === 3 ? `{"value": ${echo}` : echo);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closes.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/legacy/{key}?token=${SECRET.urlQuery}`, asked: () => asked };
}

function settingsOf(settings: Readonly<Record<string, string | number>>): string[] {
  return Object.entries(settings).flatMap(([path, value]) => ['--set', `${path}=${value}`]);
}

async function textOf(url: string): Promise<string> {
  return (await fetch(url)).text();
}

function expectNoSecret(text: string): void {
  for (const [where, secret] of Object.entries(SECRET)) expect(text, where).not.toContain(secret);
}

// long: one process, whose start is most of the cost
test('legacy misbehaves, operations are slow, everything is logged: no secret, no value, and keys only as hashes', async () => {
  const legacy = await legacyThatEchoes();
  const [grpc, http, resp] = await freePorts(3);
  const secretFile = join(directory.path, 'secret');
  writeFileSync(secretFile, SECRET.headerFromFile);
  const headers = {
    'X-Plain': SECRET.headerPlain,
    'X-Variable': 'env:LEGACY_TOKEN',
    Authorization: `Bearer file:${secretFile}`,
  };
  const started = runProgram(
    program.entry,
    [
      ...['node', '--name', 'a', '--data-dir', join(directory.path, 'a')],
      ...settingsOf({
        ...{ 'cluster.members': `a=127.0.0.1:${grpc!}`, 'cluster.replicas': 1, 'cluster.ownersMin': 1 },
        ...{
          'grpc.port': grpc!,
          'http.port': http!,
          'resp.port': resp!,
          'resp.password': 'env:RESP_PASSWORD',
        },
        ...{ postgres: 'none', 'legacy.url': legacy.url, 'legacy.headers': JSON.stringify(headers) },
        ...{ 'log.level': 'debug', 'log.slowMs': 1, 'log.slowPerSecondMax': 1000 },
      }),
    ],
    {
      LEGACY_TOKEN: SECRET.headerFromVariable,
      RESP_PASSWORD: SECRET.respPassword,
      CAUSEWAY_NO_SUCH: SECRET.unknownSetting,
    },
  );
  const client = connect({ nodes: [`127.0.0.1:${grpc!}`] });
  let pages: string[] = [];
  try {
    await until(
      'it serves',
      async () => (await fetch(`http://127.0.0.1:${http!}/readyz`).catch(() => null))?.status === 200,
    );
    await client.set(KEY, SECRET.value);
    for (let count = 0; count < 5; count += 1) {
      const before = legacy.asked();
      // A different key each time, because a failure is remembered for a while.
      await client.get(`${KEY}:${count}`).catch(() => undefined);
      expect(legacy.asked()).toBeGreaterThan(before);
    }
    await client.increment(KEY).catch(() => undefined);
    pages = await Promise.all(
      ['metrics', 'status', 'readyz', 'safe-to-stop'].map((page) =>
        textOf(`http://127.0.0.1:${http!}/${page}`),
      ),
    );
  } finally {
    client.close();
    started.process.kill('SIGTERM');
  }
  expect(await started.ended).toBe(0);
  const told = started.output() + started.errors();
  for (const event of ['legacy.denied', 'operation.slow', 'node.stopped'])
    expect(told).toContain(`"event":"${event}"`);
  expectNoSecret(told);
  expect(told).not.toContain('canary-ten');
  expect(pages.join()).not.toContain('canary');
  // Writes, and reads that went to the legacy source, as the whole process counts them.
  expect(pages[0]).toMatch(/^causeway_write_duration_seconds_count [1-9]/m);
  expect(pages[0]).toMatch(/^causeway_legacy_fetches_total\{outcome="unavailable"\} [1-9]/m);
  expect(pages[0]).toMatch(/^causeway_door_requests_total\{door="grpc"\} [1-9]/m);
  expect(pages[0]).toMatch(/^causeway_door_waiting_bytes\{door="grpc"\} \d/m);
  expect(pages[0]).toMatch(/^causeway_log_events_total\{event="legacy.denied"\} [1-9]/m);
  expect(told).toContain(createHash('sha256').update(KEY).digest('hex').slice(0, 16));
});

test('a database that refuses and repeats the password, and settings that do not fit: no secret', async () => {
  const [grpc, http] = await freePorts(2);
  const database = await postgresThatEchoes(SECRET.databasePassword);
  closes.push(database.close);
  const url = `postgres://me:${SECRET.databasePassword}@127.0.0.1:${database.port}/x?options=-c%20a.b%3D${SECRET.databaseOption}`;
  const words = ['node', '--name', 'a', '--data-dir', join(directory.path, 'b')];
  const members = { 'cluster.members': `a=127.0.0.1:${grpc!}`, 'grpc.port': grpc!, 'http.port': http! };
  const alone = { ...members, 'cluster.replicas': 1, 'cluster.ownersMin': 1, 'log.level': 'debug' };
  const refused = runProgram(program.entry, [...words, ...settingsOf({ ...alone, 'postgres.url': url })]);
  await until('its refusal is told', () =>
    Promise.resolve((refused.output() + refused.errors()).includes('authentication failed')),
  );
  refused.process.kill('SIGTERM');
  await refused.ended;
  expectNoSecret(refused.output() + refused.errors());
  const wrong = {
    'postgres.url': SECRET.databasePassword,
    'resp.password': SECRET.respPassword,
    'legacy.headers': SECRET.headerPlain,
    'legacy.url': SECRET.urlQuery,
  };
  const unusable = runProgram(program.entry, [...words, ...settingsOf({ ...alone, ...wrong })]);
  expect(await unusable.ended).toBe(2);
  expect(unusable.errors()).toContain('the configuration is not usable');
  expectNoSecret(unusable.output() + unusable.errors());
});
