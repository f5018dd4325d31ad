/**
 * grpc.health.v1.Health for probes and load balancers: the same answers as /healthz, /readyz and /safe-to-stop.
 * Watchers learn of a change within a second.
 */
import { status as Status } from '@grpc/grpc-js';
import type { Server, ServerWritableStream } from '@grpc/grpc-js';
import { failure } from '../../core/errors.ts';
import { HEALTH_WATCHERS_MAX } from '../../core/clients/grpc-limits.ts';
import { grpc } from '../../gen/protocol.js';
import type { NodeApi } from '../../node/api.ts';
import { PROBES } from '../../node/readiness.ts';
import type { Probe } from '../../node/readiness.ts';
import { Malformed, failStream, statusOf } from './method.ts';
import { serverStream } from './method.ts';

const WATCH_INTERVAL_MS = 500;
const { HealthCheckRequest, HealthCheckResponse } = grpc.health.v1;
const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = HealthCheckResponse.ServingStatus;

/** Service names that stand for the probes which HTTP offers as pages; no real service has these names. */
const PROBE_OF_SERVICE: Readonly<Record<string, Probe>> = {
  liveness: 'healthy',
  readiness: 'ready',
  'safe-to-stop': 'safe',
};

type Watch = ServerWritableStream<
  grpc.health.v1.HealthCheckRequest | Malformed,
  grpc.health.v1.HealthCheckResponseFields
>;

/**
 * `services` are the names that may be asked for besides the probes and '', which stands for the whole node. The
 * returned function ends all watches.
 */
export function addHealthService(server: Server, api: NodeApi, services: readonly string[]): () => void {
  const known = new Set(['', ...services]);
  const watches = new Set<() => void>();
  const statusNow = (service: string): number => {
    const probe = Object.hasOwn(PROBE_OF_SERVICE, service)
      ? PROBE_OF_SERVICE[service]!
      : known.has(service)
        ? 'ready'
        : undefined;
    if (probe === undefined) return SERVICE_UNKNOWN;
    return PROBES[probe](api.status()).length === 0 ? SERVING : NOT_SERVING;
  };
  addCheck(server, statusNow);
  serverStream(server, '/grpc.health.v1.Health/Watch', HealthCheckRequest, HealthCheckResponse, (call) => {
    if (call.request instanceof Malformed) return failStream(call, call.request.failed);
    if (watches.size >= HEALTH_WATCHERS_MAX) return failStream(call, failure('overloaded'));
    const stop = watch(call, call.request.service, statusNow, () => watches.delete(stop));
    watches.add(stop);
  });
  return () => {
    for (const stop of [...watches]) stop();
  };
}

/**
 * Does not use `unary`: the protocol demands NOT_FOUND for an unknown service, a status that our table of errors does
 * not have.
 */
function addCheck(server: Server, statusNow: (service: string) => number): void {
  type Request = grpc.health.v1.HealthCheckRequest;
  server.register(
    '/grpc.health.v1.Health/Check',
    (
      call: { request: Request | Malformed },
      respond: (error: object | null, answer?: { status: number }) => void,
    ) => {
      if (call.request instanceof Malformed) return respond(statusOf(call.request.failed));
      const status = statusNow(call.request.service);
      if (status === SERVICE_UNKNOWN) respond({ code: Status.NOT_FOUND, details: 'unknown service' });
      else respond(null, { status });
    },
    (answer: { status: number }) => HealthCheckResponse.encode(answer).finish() as Buffer,
    (bytes: Buffer): Request | Malformed => {
      try {
        return HealthCheckRequest.decode(bytes);
      } catch (fault) {
        return new Malformed(fault);
      }
    },
    'unary',
  );
}

function watch(
  call: Watch,
  service: string,
  statusNow: (service: string) => number,
  ended: () => void,
): () => void {
  let told = -1;
  const tell = (): void => {
    const status = statusNow(service);
    // A watcher that does not read gets only the latest status when it reads again, not every change in between.
    if (status === told || call.writableNeedDrain) return;
    told = status;
    call.write({ status });
  };
  const timer = setInterval(tell, WATCH_INTERVAL_MS);
  timer.unref();
  const stop = (): void => {
    clearInterval(timer);
    ended();
    call.end();
  };
  call.once('cancelled', stop);
  call.once('error', stop);
  tell();
  return stop;
}
