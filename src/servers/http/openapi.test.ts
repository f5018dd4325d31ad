/** The OpenAPI document and the door must agree, in both directions. */
import { expect, test } from 'vitest';
import { FakeNodeApi } from '../../../test/support/fake-node-api.ts';
import { HttpDoor, descriptionFaults, doorRoutes } from '../../../test/support/http-door.ts';
import type { OpenApi } from '../../../test/support/http-door.ts';

const door = new HttpDoor();

/** All routes of the router, such as "GET /v1/kv/{key}". */
function routed(): Set<string> {
  const { routes } = doorRoutes(new FakeNodeApi());
  const named = routes.filter(({ method }) => method !== 'ALL');
  return new Set(named.map(({ method, path }) => `${method} ${path.replace(':key', '{key}')}`));
}

function described(document: OpenApi): Set<string> {
  const methods = (path: string): string[] => Object.keys(document.paths[path]!);
  const all = Object.keys(document.paths).flatMap((path) =>
    methods(path)
      .filter((method) => method !== 'head')
      .map((method) => `${method.toUpperCase()} ${path}`),
  );
  return new Set(all);
}

test('every route is described, and every described route exists', async () => {
  const document = await door.document();
  expect(document.openapi).toBe('3.1.0');
  expect(routed().size).toBeGreaterThan(10);
  expect([...described(document)].sort()).toEqual([...routed()].sort());
});

test('every described route answers as something that it describes, whatever the node says', async () => {
  const document = await door.document();
  for (const one of described(document)) {
    const [method, path] = one.split(' ') as [string, string];
    // `ask` checks the answer against the document.
    const init =
      method === 'POST' || method === 'PUT'
        ? { body: '{}', headers: { 'Content-Type': 'application/json' } }
        : {};
    const { status } = await door.ask(method, path.replace('{key}', 'a'), init);
    expect([405, 500], one).not.toContain(status);
  }
  door.api.statusChanges = { leaseHeld: false };
  expect((await door.ask('GET', '/readyz')).status).toBe(503);
  door.api.statusChanges = {};
});

test('names of operations are given once, and what is referred to is there', async () => {
  const document = await door.document();
  const text = JSON.stringify(document);
  const ids = [...text.matchAll(/"operationId":"(\w+)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const named = new Set([...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name!));
  expect([...named].sort()).toEqual(Object.keys(document.components.schemas).sort());
});

test('an answer that differs is noticed: a status, a type, a header and a field', async () => {
  const document = await door.document();
  const answer = {
    status: 200,
    text: '',
    headers: new Headers({ ETag: '"1"', 'content-type': 'application/octet-stream' }),
    json: {},
  };
  const faults = (change: object): string[] =>
    descriptionFaults(document, 'GET', '/v1/kv/a', { ...answer, ...change });
  expect(faults({})).toEqual([]);
  expect(faults({ status: 202 })).toHaveLength(1);
  expect(faults({ headers: new Headers({ ETag: '"1"', 'content-type': 'text/html' }) })).toEqual([]);
  expect(faults({ headers: new Headers({ ETag: '"1"' }) })).toHaveLength(1);
  expect(faults({ headers: new Headers({ 'content-type': 'application/octet-stream' }) })).toHaveLength(1);
  const problem = { status: 503, headers: new Headers({ 'content-type': 'application/problem+json' }) };
  expect(faults({ ...problem, json: { code: 'not_ready' } }).length).toBeGreaterThan(0);
  expect(descriptionFaults(document, 'GET', '/v1/none', answer)).toHaveLength(1);
  const ofNoType = { ...answer, headers: new Headers({ 'content-type': 'text/html' }) };
  expect(descriptionFaults(document, 'GET', '/v1/kv', ofNoType)).toHaveLength(1);
  const listing = { ...answer, headers: new Headers({ 'content-type': 'application/json' }) };
  const entries = [{ key: 'a', version: 1, origin: 'nobody' }];
  expect(
    descriptionFaults(document, 'GET', '/v1/kv', {
      ...listing,
      json: { entries, next: null, incomplete: false },
    }).length,
  ).toBeGreaterThan(0);
});
