/** The traces of a process; on if the environment names a collector. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openTraces } from '../adapters/telemetry/traces.ts';
import type { Traces } from '../adapters/telemetry/trace-options.ts';
import type { Config } from '../config/config.ts';
import { packageDirectory } from './package-files.ts';
import type { Telemetry } from '../ports/telemetry.ts';

const PORTS: Readonly<Record<string, number>> = {
  'http:': 80,
  'https:': 443,
  'postgres:': 5432,
  'postgresql:': 5432,
};

export function openNodeTraces(config: Config, telemetry: Telemetry): Promise<Traces | null> {
  const { cluster, node, postgres, legacy } = config;
  const database = postgres === null ? {} : placeOf(postgres.url);
  const name = postgres === null ? '' : databaseOf(postgres.url);
  const statement = { ...database, ...(name === '' ? {} : { 'db.namespace': name }) };
  return openTraces({
    env: process.env,
    telemetry,
    resource: {
      'service.name': 'causeway',
      'service.namespace': cluster.name,
      'service.instance.id': node.name,
      'service.version': versionOf(),
    },
    alike: {
      commit: statement,
      select: statement,
      legacy: legacy === null ? {} : placeOf(legacy.url),
    },
  });
}

/** Host and port only: the rest of an address may contain secrets, or the place of a key. */
function placeOf(url: string): Record<string, string | number> {
  const text = url.replace(/\{[^}]*\}/g, 'x');
  if (!URL.canParse(text)) return {};
  const { hostname, port, protocol } = new URL(text);
  if (hostname === '') return {};
  return { 'server.address': hostname, 'server.port': Number(port) || (PORTS[protocol] ?? 0) };
}

function databaseOf(url: string): string {
  return URL.canParse(url) ? new URL(url).pathname.slice(1) : '';
}

function versionOf(): string {
  const facts: unknown = JSON.parse(readFileSync(join(packageDirectory(), 'package.json'), 'utf8'));
  return (facts as { version: string }).version;
}
