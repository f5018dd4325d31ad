/** A trace collector for tests: accepts OTLP over HTTP as JSON, and shows what arrived. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface CollectedSpan {
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client';
  /** `service.instance.id` of the sender. */
  readonly node: string;
  readonly traceId: string;
  readonly spanId: string;
  /** '' if there is none. */
  readonly parentSpanId: string;
  /** The flags of the trace, and whether the parent is a span of another process. */
  readonly flags: number;
  readonly traceState: string;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly isFailed: boolean;
}

interface Value {
  readonly stringValue?: string;
  readonly intValue?: number | string;
}
type Pairs = readonly { readonly key: string; readonly value: Value }[];
type Raw = Omit<CollectedSpan, 'kind' | 'attributes' | 'links' | 'isFailed'> & {
  readonly kind: number;
  readonly attributes?: Pairs;
  readonly links?: CollectedSpan['links'];
  readonly status?: { readonly code?: number };
};
interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Pairs };
    readonly scopeSpans: readonly { readonly spans: readonly Raw[] }[];
  }[];
}

const KINDS = { 1: 'internal', 2: 'server', 3: 'client' } as const;
const STATUS_ERROR = 2;

export class OtlpCollector {
  readonly spans: CollectedSpan[] = [];
  /** All request bodies, as received. */
  readonly bodies: string[] = [];
  readonly paths = new Set<string>();
  readonly resources = new Map<string, Readonly<Record<string, string | number>>>();
  private readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
  }

  static async start(): Promise<OtlpCollector> {
    const server = createServer();
    const collector = new OtlpCollector(server);
    server.on('request', (request, response) => {
      let body = '';
      request.setEncoding('utf8');
      request.on('data', (part: string) => (body += part));
      request.on('end', () => {
        collector.paths.add(request.url ?? '');
        collector.take(body);
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  of(traceId: string): CollectedSpan[] {
    return this.spans.filter((span) => span.traceId === traceId);
  }

  /** The names of the spans below a span, indented by depth; in alphabetical order, because time gives none here. */
  tree(traceId: string, spanId: string, depth = 0): string[] {
    return this.of(traceId)
      .filter(({ parentSpanId }) => parentSpanId === spanId)
      .map((span) => [`${'  '.repeat(depth)}${span.name}`, ...this.tree(traceId, span.spanId, depth + 1)])
      .sort()
      .flat();
  }

  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private take(body: string): void {
    this.bodies.push(body);
    for (const { resource, scopeSpans } of (JSON.parse(body) as Sent).resourceSpans) {
      const facts = factsOf(resource.attributes);
      const node = String(facts['service.instance.id']);
      this.resources.set(node, facts);
      for (const { spans } of scopeSpans) for (const raw of spans) this.spans.push(spanOf(raw, node));
    }
  }
}

function spanOf(raw: Raw, node: string): CollectedSpan {
  return {
    ...{ name: raw.name, node, traceId: raw.traceId, spanId: raw.spanId },
    kind: KINDS[raw.kind as keyof typeof KINDS],
    parentSpanId: raw.parentSpanId ?? '',
    traceState: raw.traceState ?? '',
    flags: raw.flags,
    attributes: factsOf(raw.attributes ?? []),
    links: (raw.links ?? []).map(({ traceId, spanId }) => ({ traceId, spanId })),
    isFailed: raw.status?.code === STATUS_ERROR,
  };
}

function factsOf(pairs: Pairs): Record<string, string | number> {
  return Object.fromEntries(
    pairs.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue ?? NaN)]),
  );
}
