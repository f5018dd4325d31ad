/**
 * The Tracing port on the OpenTelemetry SDK, exported as OTLP over HTTP. It is switched on by OpenTelemetry's own
 * environment variables, and only if they name an endpoint; the SDK is loaded only then. What waits for the collector
 * is bounded, and the excess is dropped and counted. A collector that does not answer costs a log line now and then,
 * and never delays an answer. (docs/TRACING.md)
 */
import type { Environment, TraceOptions, Traces } from './trace-options.ts';

/** A variable that is empty counts as not set. */
function givenIn(env: Environment): (name: string) => string | undefined {
  return (name) => env[name]?.trim() || undefined;
}

/** Where spans are sent; undefined if tracing is off. */
export function urlOf(env: Environment): string | undefined {
  const given = givenIn(env);
  if (given('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return undefined;
  if (given('OTEL_TRACES_EXPORTER')?.toLowerCase() === 'none') return undefined;
  const base = given('OTEL_EXPORTER_OTLP_ENDPOINT');
  return (
    given('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') ??
    (base === undefined ? undefined : `${base.replace(/\/+$/, '')}/v1/traces`)
  );
}

/** Null if tracing is off or cannot work: a setting for observers must not keep a node from serving. */
export async function openTraces(options: TraceOptions): Promise<Traces | null> {
  const { env, telemetry } = options;
  const url = urlOf(env);
  if (url === undefined) return null;
  if (!/^https?:/.test(URL.canParse(url) ? new URL(url).protocol : '')) {
    telemetry.event('error', 'traces.off', { reason: 'the OTLP endpoint is no URL of http or https' });
    return null;
  }
  const given = givenIn(env);
  if ((given('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') ?? given('OTEL_EXPORTER_OTLP_PROTOCOL')) === 'grpc') {
    telemetry.event('error', 'traces.off', { reason: 'OTLP over gRPC is not spoken here: http/json is' });
    return null;
  }
  const { openOtelTraces } = await import('./otel-traces.ts');
  return openOtelTraces(options, url);
}
