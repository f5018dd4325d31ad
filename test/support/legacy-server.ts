/**
 * A real legacy REST API for tests: answers `/legacy/data/{key}` like the first system's, counts its requests, and can
 * be told to misbehave in every way known of networks and old servers.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';

const LEGACY_PREFIX = '/legacy/data/';

export type Behaviour =
  | { readonly kind: 'normal' }
  | { readonly kind: 'slow'; readonly ms: number }
  /** Accepts the request and never answers. */
  | { readonly kind: 'hang' }
  /** Sends the headers and part of the body, then nothing more. */
  | { readonly kind: 'hangInBody' }
  /** One byte every `ms`, without end. */
  | { readonly kind: 'trickle'; readonly ms: number }
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: OutgoingHttpHeaders;
      readonly body?: string;
    }
  /** 200 with this body; a null `contentType` sends none. */
  | { readonly kind: 'body'; readonly body: string | Uint8Array; readonly contentType?: string | null }
  /** These raw bytes instead of an HTTP answer; then the connection is closed. */
  | { readonly kind: 'raw'; readonly bytes: string | Uint8Array }
  /** More than the limits allow: with a Content-Length, or in chunks. */
  | { readonly kind: 'huge'; readonly bytes: number; readonly chunked: boolean }
  | { readonly kind: 'gzipBomb'; readonly bytes: number }
  /** Announces more than it sends. */
  | { readonly kind: 'truncated' }
  /** The value of one key under the name of another. */
  | { readonly kind: 'otherKey'; readonly key: string }
  | { readonly kind: 'redirect'; readonly to: string }
  /** Closes the connection without an answer. */
  | { readonly kind: 'reset' };

export class LegacyServer {
  /** Its data; anything that JSON can express. */
  readonly data = new Map<string, unknown>();
  behaviour: Behaviour = { kind: 'normal' };
  /** Used first, one for each request. */
  readonly nextBehaviours: Behaviour[] = [];
  /** Overrides `behaviour` for one key. */
  readonly behaviourByKey = new Map<string, Behaviour>();
  callCount = 0;
  readonly callsByKey = new Map<string, number>();
  underWay = 0;
  underWayMax = 0;
  connectionCount = 0;
  lastHeaders: IncomingMessage['headers'] = {};
  /** Request targets that were not `/legacy/data/` and one segment; must stay empty. */
  readonly strayed: string[] = [];
  private server: Server | null = null;
  private readonly sockets = new Set<Socket>();
  private port = 0;

  static async start(): Promise<LegacyServer> {
    const legacy = new LegacyServer();
    await legacy.comeUp();
    return legacy;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get isDown(): boolean {
    return this.server === null;
  }

  get url(): string {
    return `${this.origin}${LEGACY_PREFIX}{key}`;
  }

  /** Listens, on the same port as before if it had one. */
  async comeUp(): Promise<void> {
    const server = createServer((request, response) => this.onRequest(request, response));
    server.on('connection', (socket) => {
      this.connectionCount += 1;
      this.sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.sockets.delete(socket));
    });
    this.server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, '127.0.0.1', resolve);
    });
    this.port = (server.address() as AddressInfo).port;
  }

  /** Connections are refused until it comes up again. */
  async goDown(): Promise<void> {
    const server = this.server;
    if (server === null) return;
    this.server = null;
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  private onRequest(request: IncomingMessage, response: ServerResponse): void {
    this.callCount += 1;
    this.lastHeaders = request.headers;
    this.underWay += 1;
    this.underWayMax = Math.max(this.underWayMax, this.underWay);
    response.on('close', () => (this.underWay -= 1));
    response.on('error', () => {});
    const key = keyOf(request.url ?? '');
    if (key === null) {
      this.strayed.push(request.url ?? '');
      response.writeHead(400).end();
      return;
    }
    this.callsByKey.set(key, (this.callsByKey.get(key) ?? 0) + 1);
    this.behave(this.nextBehaviours.shift() ?? this.behaviourByKey.get(key) ?? this.behaviour, key, response);
  }

  private behave(behaviour: Behaviour, key: string, response: ServerResponse): void {
    switch (behaviour.kind) {
      case 'normal':
        return this.answer(key, response);
      case 'slow':
        setTimeout(() => this.answer(key, response), behaviour.ms).unref();
        return;
      case 'hang':
        return;
      case 'reset':
        response.socket?.destroy();
        return;
      case 'status':
        response.writeHead(behaviour.status, behaviour.headers).end(behaviour.body ?? '');
        return;
      case 'redirect':
        response.writeHead(302, { location: behaviour.to }).end();
        return;
      case 'otherKey':
        return sendJson(response, { key: behaviour.key, value: this.data.get(behaviour.key) ?? 'other' });
      case 'body': {
        const type = behaviour.contentType === undefined ? 'application/json' : behaviour.contentType;
        response.writeHead(200, type === null ? {} : { 'content-type': type }).end(behaviour.body);
        return;
      }
      case 'raw':
        response.socket?.end(behaviour.bytes);
        return;
      default:
        return dribble(behaviour, key, response);
    }
  }

  private answer(key: string, response: ServerResponse): void {
    const value = this.data.get(key);
    if (value === undefined)
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"not found"}');
    else sendJson(response, { key, value });
  }
}

/** Answers that are wrong in how their bodies arrive. */
function dribble(
  behaviour: Extract<Behaviour, { kind: 'hangInBody' | 'trickle' | 'huge' | 'gzipBomb' | 'truncated' }>,
  key: string,
  response: ServerResponse,
): void {
  const json = { 'content-type': 'application/json' };
  const opening = `{"key":${JSON.stringify(key)},"value":"`;
  switch (behaviour.kind) {
    case 'hangInBody':
      response.writeHead(200, json).write(opening);
      return;
    case 'trickle': {
      response.writeHead(200, json).write(opening);
      const timer = setInterval(() => response.write('x'), behaviour.ms);
      response.on('close', () => clearInterval(timer));
      return;
    }
    case 'truncated':
      response.writeHead(200, { ...json, 'content-length': opening.length + 1000 }).write(opening + 'x"}');
      setTimeout(() => response.socket?.destroy(), 20).unref();
      return;
    case 'huge': {
      const body = `${opening}${'x'.repeat(behaviour.bytes)}"}`;
      response.writeHead(
        200,
        behaviour.chunked ? json : { ...json, 'content-length': Buffer.byteLength(body) },
      );
      if (behaviour.chunked) response.write(body.slice(0, 1000));
      response.end(behaviour.chunked ? body.slice(1000) : body);
      return;
    }
    case 'gzipBomb': {
      const body = gzipSync(`${opening}${'x'.repeat(behaviour.bytes)}"}`);
      response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(body);
    }
  }
}

function sendJson(response: ServerResponse, document: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document));
}

/** How a careful server interprets a request target: null unless it is the prefix and exactly one segment. */
function keyOf(target: string): string | null {
  const path = target.split('?')[0]!;
  const rest = path.slice(LEGACY_PREFIX.length);
  if (!path.startsWith(LEGACY_PREFIX) || rest === '' || rest.includes('/')) return null;
  try {
    return decodeURIComponent(rest);
  } catch {
    return null;
  }
}
