/**
 * Every kind of span that a node makes: its name, what it may say about itself, and nothing else. Names of attributes are
 * those of OpenTelemetry's semantic conventions where they have one, else they begin with `causeway.`; never is one of
 * them a key or a value. docs/TRACING.md is the same list for people, held to this one by a test.
 */

export interface SpanShape {
  /** With `{...}` where the door fills in what was asked. */
  readonly name: string;
  readonly kind: 'server' | 'client' | 'internal';
  /** Besides `error.type`, which every span has that failed. */
  readonly attributes: readonly string[];
}

/** Of a statement for PostgreSQL. */
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
