/**
 * Every kind of span that a node creates: its name and the attributes it may have. Attribute names are those of
 * OpenTelemetry's semantic conventions where they exist, otherwise they begin with `causeway.`; an attribute is never a
 * key or a value. docs/TRACING.md is the same list for people, and a test keeps the two equal.
 */

export interface SpanShape {
  /** With `{...}` where the door inserts what was requested. */
  readonly name: string;
  readonly kind: 'server' | 'client' | 'internal';
  /** In addition to `error.type`, which every failed span has. */
  readonly attributes: readonly string[];
}

/** Attributes of a PostgreSQL statement. */
const STATEMENT = [
  'db.system.name',
  'db.namespace',
  'db.operation.name',
  'db.collection.name',
  'db.operation.batch.size',
  'server.address',
  'server.port',
] as const;

export const SPANS = {
  rpc: {
    name: '{service}/{method}',
    kind: 'server',
    attributes: ['rpc.system.name', 'rpc.method', 'rpc.status_code'],
  },
  redis: {
    name: '{COMMAND}',
    kind: 'server',
    attributes: ['network.protocol.name', 'db.operation.name', 'db.response.status_code'],
  },
  http: {
    name: '{METHOD} {route}',
    kind: 'server',
    attributes: ['http.request.method', 'http.route', 'http.response.status_code'],
  },
  write: {
    name: 'causeway.write',
    kind: 'internal',
    attributes: ['causeway.operation', 'causeway.hops'],
  },
  read: {
    name: 'causeway.read',
    kind: 'internal',
    attributes: ['causeway.hops'],
  },
  scan: {
    name: 'causeway.scan',
    kind: 'internal',
    attributes: ['causeway.hops', 'causeway.page.records'],
  },
  count: {
    name: 'causeway.count',
    kind: 'internal',
    attributes: [],
  },
  forward: {
    name: 'causeway.forward',
    kind: 'client',
    attributes: ['causeway.peer'],
  },
  acknowledge: {
    name: 'causeway.acknowledge',
    kind: 'client',
    attributes: ['causeway.peer', 'causeway.outcome'],
  },
  store: {
    name: 'causeway.store',
    kind: 'internal',
    attributes: ['causeway.batch.size'],
  },
  record: {
    name: 'causeway.record',
    kind: 'internal',
    attributes: [],
  },
  commit: {
    name: 'INSERT causeway.record',
    kind: 'client',
    attributes: STATEMENT,
  },
  select: {
    name: 'SELECT causeway.record',
    kind: 'client',
    attributes: STATEMENT,
  },
  legacy: {
    name: 'GET',
    kind: 'client',
    attributes: ['http.request.method', 'server.address', 'server.port', 'causeway.outcome'],
  },
} as const satisfies Record<string, SpanShape>;

export type SpanName = keyof typeof SPANS;
