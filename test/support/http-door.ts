/**
 * The HTTP door without sockets, in front of a node that keeps its records in a map. Every answer obtained through
 * `ask` is checked against the OpenAPI document that the door serves: a status, a type or a field that is not described
 * makes the test fail.
 */
import type { Hono } from 'hono';
import { expect } from 'vitest';
import { z } from 'zod';
import type { LogLevels } from '../../src/servers/http/admin-routes.ts';
import { mountApi } from '../../src/servers/http/api-routes.ts';
import { browserGuard } from '../../src/servers/http/browser-guard.ts';
import { httpRoutes } from '../../src/servers/http/server.ts';
import { FakeNodeApi } from './fake-node-api.ts';

type Schema = Parameters<typeof z.fromJSONSchema>[0];

interface Described {
  readonly responses: Readonly<
    Record<
      string,
      { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>; headers?: object }
    >
  >;
}

export interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

const VALUE_BYTES_MAX = 1024 * 1024;

/** A log that only stores its level. */
export function logLevels(): LogLevels {
  let level = 'info' as ReturnType<LogLevels['level']>;
  return { level: () => level, setLevel: (next) => (level = next) };
}

export function doorRoutes(api: FakeNodeApi, listenHost = '127.0.0.1', log = logLevels()): Hono {
  return httpRoutes(api, [
    (routes) => routes.use(browserGuard(listenHost)),
    (routes) => mountApi(routes, api, { valueBytesMax: VALUE_BYTES_MAX, log }),
  ]);
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  /** The parsed body, if it is JSON. */
  readonly json: Record<string, unknown>;
}

/** The document is the same for every door. */
let served: OpenApi | undefined;
const read = new WeakMap<object, z.ZodType>();

export class HttpDoor {
  readonly api = new FakeNodeApi();
  readonly log = logLevels();
  readonly routes: Hono;

  constructor(listenHost?: string) {
    this.routes = doorRoutes(this.api, listenHost, this.log);
  }

  async document(): Promise<OpenApi> {
    return (served ??= (await (await this.routes.request('/openapi.json')).json()) as OpenApi);
  }

  async ask(method: string, path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await this.routes.request(path, { method, ...init });
    const text = await response.text();
    const isJson = text !== '' && /json/.test(response.headers.get('content-type') ?? '');
    const answer: Answer = {
      status: response.status,
      text,
      headers: response.headers,
      json: isJson ? (JSON.parse(text) as Record<string, unknown>) : {},
    };
    expect(descriptionFaults(await this.document(), method, path, answer)).toEqual([]);
    return answer;
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const type = { 'Content-Type': 'application/json' };
    return this.ask('POST', path, { body: JSON.stringify(body), headers: { ...type, ...headers } });
  }
}

/** How an answer differs from the document's description of it. */
export function descriptionFaults(document: OpenApi, method: string, path: string, answer: Answer): string[] {
  const bare = path.split('?', 1)[0]!;
  const name = bare.startsWith('/v1/kv/') ? '/v1/kv/{key}' : bare;
  const described = document.paths[name]?.[method.toLowerCase()];
  // A path that does not exist, or does not allow the method, is answered with a problem like any other.
  const responses = described?.responses ?? document.paths['/v1/kv']!['get']!.responses;
  const isProblem = answer.status >= 400;
  if (described === undefined && !isProblem) return [`${method} ${name} is not described`];
  const response = responses[answer.status] ?? (isProblem ? responses['default'] : undefined);
  if (response === undefined) return [`${method} ${name} does not say that it answers ${answer.status}`];
  const faults = Object.keys(response.headers ?? {})
    .filter((header) => /^ETag$/.test(header) && !answer.headers.has(header))
    .map((header) => `${header} is missing`);
  const told = response.content ?? {};
  const type = answer.headers.get('content-type');
  if (method === 'HEAD') return faults;
  const isAny = '*/*' in told && type !== null;
  if (!isAny && Object.keys(told).join() !== (type ?? ''))
    return [...faults, `it is ${type}, not ${Object.keys(told).join()}`];
  const schema = type === null || isAny ? undefined : told[type]!.schema;
  if (schema === undefined) return faults;
  const result = zodOf(document, schema).safeParse(answer.json);
  return result.success
    ? faults
    : [...faults, ...result.error.issues.map(({ path: at, message }) => `${at.join('.')}: ${message}`)];
}

function zodOf(document: OpenApi, schema: Schema): z.ZodType {
  const known = read.get(schema as object);
  if (known !== undefined) return known;
  const whole = JSON.stringify({ ...(schema as object), $defs: document.components.schemas });
  const made = z.fromJSONSchema(JSON.parse(whole.replaceAll('#/components/schemas/', '#/$defs/')) as Schema);
  read.set(schema as object, made);
  return made;
}
