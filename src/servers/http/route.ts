/**
 * A route of the HTTP door as data: schemas for what it takes and answers, used both to check requests and to make the
 * OpenAPI document, and the handler. What is not described is not accepted: an unknown parameter is refused, because it
 * may be a misspelt one.
 */
import type { Context, Hono } from 'hono';
import { z } from 'zod';
import { failure } from '../../core/errors.ts';
import { OPERATION_TIMEOUT_MS_DEFAULT, OPERATION_TIMEOUT_MS_MAX } from '../../core/limits.ts';
import type { Tracing } from '../../ports/tracing.ts';
import { checked, keyInPath } from './key-path.ts';
import type { Wire } from './key-path.ts';
import { Refusal, problemOf, problemResponse } from './problem.ts';
import type { Problem } from './problem.ts';
import type { Room } from './room.ts';
import { UNTRACED, tracedReply } from './traced-requests.ts';
import type { RequestTrace } from './traced-requests.ts';

export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';
type Texts = Readonly<Record<string, string>>;

export interface AnswerDescription {
  readonly description: string;
  /** The schema of a JSON answer. If omitted, the body is a stored value, or empty. */
  readonly schema?: z.ZodType;
  readonly isBytes?: boolean;
  /** Header names with their descriptions. */
  readonly headers?: Texts;
}

export interface Call<Query, Body> {
  /** The valid key, for a route that has one. */
  readonly key: string;
  readonly query: Query;
  readonly body: Body;
  readonly header: (name: string) => string | undefined;
  /** Milliseconds left until the deadline; 0 or less if it has passed. */
  readonly timeoutMs: () => number;
  readonly trace: RequestTrace;
}

export type Reply =
  | { readonly status: number; readonly json: unknown; readonly headers?: Texts }
  | { readonly status: number; readonly bytes: Uint8Array; readonly headers?: Texts }
  | { readonly status: number; readonly headers?: Texts }
  | { readonly problem: Problem; readonly headers?: Texts };

export interface RouteFacts {
  readonly method: Method;
  /** As in OpenAPI; `{key}` at the end takes the whole rest of the path. */
  readonly path: string;
  /** Short, unique, in camel case. */
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly requestHeaders?: Texts;
  readonly answers: Readonly<Record<number, AnswerDescription>>;
}

/** Everything that the OpenAPI document says of a route. */
export interface DescribedRoute extends RouteFacts {
  readonly query: z.ZodObject<Readonly<Record<string, z.ZodType>>>;
  readonly body: z.ZodType | null;
}

export interface Route extends DescribedRoute {
  /** Maximum size in bytes of the request body; 0 if the route takes none. */
  readonly bodyBytesMax: number;
  readonly handle: (call: Call<never, never>) => Promise<Reply>;
}

/** Query parameters that every route has. */
const TIMED = {
  timeout_ms: whole(z.int().min(1).max(OPERATION_TIMEOUT_MS_MAX))
    .default(OPERATION_TIMEOUT_MS_DEFAULT)
    .describe('milliseconds within which it is answered'),
};
const PLAIN = z.strictObject(TIMED);
type Timed = typeof TIMED;

/** A number in the query, in digits only. Non-numbers and numbers out of bounds get the same error message. */
export function whole(number: z.ZodInt): z.ZodType<number> {
  const wanted = `a whole number from ${number.minValue ?? 0} to ${number.maxValue ?? Number.MAX_SAFE_INTEGER}`;
  return z.preprocess((text, context) => {
    if (typeof text !== 'string') return text;
    const given = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
    return number.safeParse(given).success ? given : refuse(context, wanted, text);
  }, number);
}

/** A boolean in the query: `1` or `true`. */
export function flag(): z.ZodType<boolean> {
  return z
    .preprocess((text, context) => {
      if (typeof text !== 'string') return text;
      if (text === '1' || text === 'true') return true;
      return text === '0' || text === 'false' ? false : refuse(context, '1, true, 0 or false', text);
    }, z.boolean())
    .default(false);
}

const GIVEN_CHARACTERS_TOLD_MAX = 40;

function refuse(context: z.RefinementCtx, wanted: string, given: string): never {
  const shown =
    given.length > GIVEN_CHARACTERS_TOLD_MAX ? `${given.slice(0, GIVEN_CHARACTERS_TOLD_MAX)}…` : given;
  context.addIssue({ code: 'custom', message: `must be ${wanted}, not '${shown}'` });
  return z.NEVER;
}

/** Raw bytes of any type. */
export const BYTES = z.instanceof(Uint8Array).meta({ isBytes: true });

export function route<
  Body extends z.ZodType = z.ZodUndefined,
  Query extends z.ZodRawShape = Record<never, never>,
>(
  facts: RouteFacts & {
    readonly query?: Query;
    readonly body?: Body;
    readonly bodyBytesMax?: number;
    readonly handle: (call: Call<z.infer<z.ZodObject<Query & Timed>>, z.infer<Body>>) => Promise<Reply>;
  },
): Route {
  const query = facts.query === undefined ? PLAIN : z.strictObject({ ...facts.query, ...TIMED });
  return { ...facts, query, body: facts.body ?? null, bodyBytesMax: facts.bodyBytesMax ?? 0 };
}

export function mountRoutes(
  routes: Hono,
  room: Room,
  table: readonly Route[],
  tracing: Tracing | null,
): void {
  for (const one of table) {
    routes.on(one.method, routerPath(one.path), (context) => answer(context, room, one, tracing));
  }
  for (const path of new Set(table.map((one) => one.path))) {
    const allowed = table.filter((one) => one.path === path).map(({ method }) => method);
    const Allow = allowed.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
    routes.all(routerPath(path), () =>
      problemResponse(new Refusal(405, `it takes ${Allow}`, 'not_supported').problem, { Allow }),
    );
  }
}

function routerPath(path: string): string {
  return path.replace('{key}', ':key');
}

async function answer(context: Context, room: Room, one: Route, tracing: Tracing | null): Promise<Response> {
  const wire = context.env as Wire | undefined;
  const request = context.req.raw;
  let release = (): void => undefined;
  try {
    room.begin();
    const query = queryOf(one, request.url) as { key?: string; timeout_ms: number };
    const deadlineAt = performance.now() + query.timeout_ms;
    const named = one.path.endsWith('{key}') ? keyInPath(request, wire) : query.key;
    const key = named === undefined ? '' : checked(named);
    if (one.body !== null && !isBytes(one.body)) mustBeJson(request.headers.get('content-type'));
    mustBeWhole(request.headers);
    const read = await room.read(request, one.bodyBytesMax);
    release = read.release;
    const call: Omit<Call<unknown, unknown>, 'trace'> = {
      key,
      query,
      body: bodyOf(one, read.bytes),
      header: (name) => request.headers.get(name) ?? undefined,
      timeoutMs: () => deadlineAt - performance.now(),
    };
    const handle = (trace: RequestTrace): Promise<Reply> =>
      one.handle({ ...call, trace } as Call<never, never>);
    const replying = tracing === null ? handle(UNTRACED) : tracedReply(tracing, one, request.headers, handle);
    const reply = await replying;
    return responseOf(reply, (bytes) => room.answer(wire ?? {}, bytes));
  } catch (error) {
    if (error instanceof Refusal) return problemResponse(error.problem, error.headers);
    endOnFault(error);
    return problemResponse(problemOf(failure('internal')));
  } finally {
    release();
  }
}

/** A programmer's error ends the process with a line in the log, as anywhere else; the client is answered first. */
function endOnFault(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}

function responseOf(reply: Reply, count: (bytes: number) => void): Response {
  if ('problem' in reply) return problemResponse(reply.problem, reply.headers);
  const { status } = reply;
  if ('json' in reply) {
    const text = `${JSON.stringify(reply.json)}\n`;
    count(Buffer.byteLength(text));
    const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...reply.headers };
    return new Response(text, { status, headers });
  }
  const headers: Record<string, string> = { ...reply.headers };
  if (!('bytes' in reply)) return new Response(null, { status, headers });
  count(reply.bytes.length);
  headers['Content-Length'] = String(reply.bytes.length);
  // A copy: a view would keep the whole buffer around the value in memory.
  return new Response(Uint8Array.from(reply.bytes), { status, headers });
}

export function isBytes(body: z.ZodType): boolean {
  return body.meta()?.['isBytes'] === true;
}

function queryOf(one: Route, url: string): unknown {
  const start = url.indexOf('?');
  const text = start < 0 ? '' : url.slice(start + 1);
  mustBeUtf8(text);
  const given = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (given.has(name)) throw new Refusal(400, `${name} stands twice in the query`);
    given.set(name, value);
  }
  return parsed(one.query, Object.fromEntries(given), 'the query');
}

/** Otherwise undecodable bytes would become replacement characters, and one key would be mistaken for another. */
function mustBeUtf8(query: string): void {
  try {
    decodeURIComponent(query);
  } catch {
    throw new Refusal(400, 'the query is not UTF-8 in percent-encoding');
  }
}

function bodyOf(one: Route, bytes: Buffer): unknown {
  if (one.body === null) return undefined;
  if (isBytes(one.body)) return bytes;
  let given: unknown;
  try {
    given = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Refusal(400, 'the body is not JSON in UTF-8');
  }
  return parsed(one.body, given, 'the body');
}

/** A page of another origin cannot send this content type without a CORS preflight, and the preflight is refused. */
function mustBeJson(type: string | null): void {
  if (/^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type ?? '')) return;
  throw new Refusal(415, 'the body must be of Content-Type: application/json');
}

/** The body is stored or parsed as it is, so a Content-Encoding or Content-Range would be lost. */
function mustBeWhole(headers: Headers): void {
  const coding = headers.get('content-encoding') ?? 'identity';
  if (coding.toLowerCase() !== 'identity')
    throw new Refusal(415, 'the body must come without Content-Encoding');
  // Node undoes the chunks, and leaves a coding beneath them as it came.
  const transfer = headers.get('transfer-encoding') ?? 'chunked';
  if (transfer.toLowerCase() !== 'chunked')
    throw new Refusal(501, 'of the codings of a transfer only chunked is known', 'not_supported');
  if (headers.has('content-range')) throw new Refusal(400, 'a part of a value cannot be written');
}

const FAULTS_TOLD_MAX = 5;

function parsed(schema: z.ZodType, given: unknown, what: string): unknown {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const faults = result.error.issues
    .slice(0, FAULTS_TOLD_MAX)
    .map(({ path, message }) => `${path.length === 0 ? what : path.join('.')}: ${message}`);
  throw new Refusal(400, faults.join('; '));
}
