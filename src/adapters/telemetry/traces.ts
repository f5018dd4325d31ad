/**
 * The Tracing port by OpenTelemetry's SDK, sent as OTLP over HTTP. Switched on by that project's own environment
 * variables, and only by an endpoint among them; what is needed for it is loaded then and not before. What waits for
 * the collector is bounded, what is too much is dropped and counted, and a collector that does not answer costs one line of
 * the log now and then, and nobody an answer. (docs/TRACING.md)
 */
import type { Environment, TraceOptions, Traces } from './trace-options.ts';

/** Where spans are sent; undefined: tracing is off. */
export function urlOf(env: Environment): string | undefined {
  const given = (name: string): string | undefined => env[name]?.trim() || undefined;
  if (given('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return undefined;
  if (given('OTEL_TRACES_EXPORTER')?.toLowerCase() === 'none') return undefined;
  const base = given('OTEL_EXPORTER_OTLP_ENDPOINT');
  return (
    given('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') ??
    (base === undefined ? undefined : `${base.replace(/\/+$/, '')}/v1/traces`)
  );
}

/** Null where nothing is to be traced, or nothing can be: an observer's setting keeps no node from serving. */
export async function openTraces(options: TraceOptions): Promise<Traces | null> {
  const { env, telemetry } = options;
  const url = urlOf(env);
  if (url === undefined) return null;
  if (!/^https?:/.test(URL.canParse(url) ? new URL(url).protocol : '')) {
    telemetry.event('error', 'traces.off', { reason: 'the OTLP endpoint is no URL of http or https' });
    return null;
  }
  const protocol = env['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'] ?? env['OTEL_EXPORTER_OTLP_PROTOCOL'] ?? '';
  if (protocol.trim() === 'grpc') {
    telemetry.event('error', 'traces.off', { reason: 'OTLP over gRPC is not spoken here: http/json is' });
    return null;
  }
  const { openOtelTraces } = await import('./otel-traces.ts');
  return openOtelTraces(options, url);
}
