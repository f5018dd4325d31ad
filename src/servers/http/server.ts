/**
 * The HTTP door: the probes for whoever runs the node, and the parts mounted beside them. Each part keeps its routes in
 * a file of its own.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { RequestError, getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import type { Context } from 'hono';
import { failure } from '../../core/errors.ts';
import {
  HTTP_CONNECTIONS_BEYOND_MAX,
  HTTP_CONNECTIONS_MAX,
  HTTP_STILL_MS_MAX,
} from '../../core/clients/http-limits.ts';
import { STOP_ASK_MS } from '../../core/membership/stop-limits.ts';
import type { NodeApi } from '../../node/api.ts';
import { PROBES } from '../../node/readiness.ts';
import type { Probe } from '../../node/readiness.ts';
import { operate } from './asked.ts';
import { Beyond } from './beyond.ts';
import { InOrder } from './in-order.ts';
import { canonicalTarget, routingPath } from './key-path.ts';
import type { Wire } from './key-path.ts';
import { Refusal, problemOf, problemResponse } from './problem.ts';
import { Reading } from './reading.ts';
import { RequestTurns } from './request-turns.ts';
import { Unanswered } from './room.ts';

export interface HttpServer {
  readonly port: number;
  readonly connections: HttpConnections;
  close(): Promise<void>;
}

export interface HttpConnections {
  /** Open at the moment. */
  count: number;
  /** Closed, or refused at their first request, because there were too many. */
  rejected: number;
}

/** Milliseconds that a client may take to send its request; no legitimate request takes long. */
const REQUEST_TIMEOUT_MS = 10_000;
const CHECKS_PER_TIMEOUT = 10;

const PROBE_PATHS: ReadonlyMap<string, Probe> = new Map([
  ['/healthz', 'healthy'],
  ['/readyz', 'ready'],
  ['/safe-to-stop', 'safe'],
]);

const NO_PAGE = 'there is no such page; /openapi.json describes those for programs';

/** For a request whose client left while it waited for its turn; nobody receives this. */
const GONE = new Refusal(503, 'the client has gone', 'overloaded');

/** Adds the routes of one part of the door. */
export type Mount = (routes: Hono) => void;

export function httpRoutes(api: NodeApi, mounts: readonly Mount[] = []): Hono {
  const routes = new Hono({ getPath: routingPath });
  const inOrder = new InOrder();
  routes.use(async ({ env, req }, next) => {
    const wire = (env as Wire | undefined) ?? {};
    const socket = wire.incoming?.socket;
    if (socket === undefined) return next().then(() => undefined);
    return inOrder.run(socket, req.method, async () => {
      if (socket.destroyed) return problemResponse(GONE.problem);
      await next();
      return undefined;
    });
  });
  for (const [path, name] of PROBE_PATHS)
    routes.get(path, (context) => told(context, name, PROBES[name](api.status())));
  // The first mount is the guard that decides who may reach the others.
  for (const mount of mounts) mount(routes);
  // A POST, because it reserves the stop: it is meant for whoever is about to stop the node, not for a page in a
  // browser.
  routes.post('/safe-to-stop', async (context) => told(context, 'safe', await reserveStop(api)));
  routes.get('/status', (context) => context.json(api.status()));
  routes.notFound(() => problemResponse(new Refusal(404, NO_PAGE, 'not_supported').problem));
  return routes;
}

function told(context: Context, name: Probe, reasons: readonly string[]): Response {
  if (reasons.length === 0) return context.json({ [name]: true, reasons });
  return context.json({ [name]: false, reasons, detail: reasons.join('; ') }, 503);
}

/** The reasons against a stop. If there are none, no other member is allowed to stop until this one is gone. */
async function reserveStop(api: NodeApi): Promise<readonly string[]> {
  const answer = await operate(api, { kind: 'reserveStop' }, STOP_ASK_MS);
  // A process that has no node yet has nothing to reserve.
  return answer.kind === 'stop' ? answer.costs : PROBES.safe(api.status());
}

/** The answer to a request whose target or host makes no URL: no route sees it. */
function unreadable(error: unknown): Response {
  if (!(error instanceof RequestError)) return problemResponse(problemOf(failure('internal')));
  return problemResponse(new Refusal(400, `the request is not understood: ${error.message}`).problem);
}

/** An expectation other than Expect: 100-continue (RFC 9110, 10.1.1). Answered by Node it would pass all bounds. */
const UNMET = new Refusal(417, 'the only expectation that is known here is Expect: 100-continue');

interface DoorParts {
  readonly beyond: Beyond;
  readonly connections: HttpConnections;
  readonly turns: RequestTurns;
  readonly reading: Reading;
}

/** Requests begin in their turn; what one connection sends beyond its bound is refused, or ignored after a refusal. */
function listenerOf(
  routes: Hono,
  host: string,
  { beyond, connections, turns, reading }: DoorParts,
): (incoming: IncomingMessage, outgoing: ServerResponse, unmet?: Refusal) => void {
  const options = { hostname: host, errorHandler: unreadable };
  const listener = getRequestListener(routes.fetch, options);
  const unanswered = new Unanswered();
  return (incoming, outgoing, unmet) => {
    const wire = { incoming, outgoing };
    reading.took(incoming.socket);
    incoming.url = canonicalTarget(incoming.url ?? '/');
    const isProbe = incoming.method === 'GET' && PROBE_PATHS.has(incoming.url);
    const tooMany = unanswered.begin(wire);
    if (tooMany === 'after') return;
    const beyondAll = beyond.judge(wire, isProbe);
    if (beyondAll !== null) connections.rejected += 1;
    const refusal = tooMany ?? beyondAll ?? unmet ?? null;
    const answers =
      refusal === null
        ? listener
        : getRequestListener(() => problemResponse(refusal.problem, refusal.headers), options);
    turns.begin(() => void answers(incoming, outgoing), isProbe);
  };
}

/** Rejects if the port is not available. Port 0 means any free port. */
export function openHttpServer(
  routes: Hono,
  host: string,
  port: number,
  requestTimeoutMs = REQUEST_TIMEOUT_MS,
): Promise<HttpServer> {
  const connections: HttpConnections = { count: 0, rejected: 0 };
  return new Promise((resolve, reject) => {
    const timing = {
      requestTimeout: requestTimeoutMs,
      headersTimeout: requestTimeoutMs,
      // By default Node checks only every 30 s, however short the timeouts are.
      connectionsCheckingInterval: requestTimeoutMs / CHECKS_PER_TIMEOUT,
    };
    const parts = { beyond: new Beyond(), connections, turns: new RequestTurns(), reading: new Reading() };
    const listener = listenerOf(routes, host, parts);
    const server = createServer(timing, listener);
    server.on('checkExpectation', (incoming: IncomingMessage, outgoing: ServerResponse) =>
      listener(incoming, outgoing, UNMET),
    );
    const close = (): Promise<void> =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      });
    // By default Node leaves out what stands behind the 2,000th line of a head: a condition, say. The head's size is
    // bounded anyway.
    server.maxHeadersCount = 0;
    server.maxConnections = HTTP_CONNECTIONS_MAX + HTTP_CONNECTIONS_BEYOND_MAX;
    server.on('connection', (socket: Socket) => {
      parts.turns.arrived();
      parts.reading.opened(socket);
      if (connections.count >= HTTP_CONNECTIONS_MAX) parts.beyond.add(socket);
      connections.count += 1;
      socket.once('close', () => (connections.count -= 1));
    });
    server.on('drop', () => (connections.rejected += 1));
    server.timeout = HTTP_STILL_MS_MAX;
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve({ port: (server.address() as AddressInfo).port, connections, close });
    });
  });
}
