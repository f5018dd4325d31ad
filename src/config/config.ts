/**
 * All settings of a node, read and validated once. Later layers win: defaults, the file (YAML or JSON), the
 * environment, flags. All faults are reported at once, each with the path of its setting and never with a value, which
 * may be a secret. docs/CONFIGURATION.md describes the settings.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { systemReason } from '../base/system-reason.ts';
import { isDoorAddress } from '../core/clients/door-address.ts';
import { parseJsonPointer } from '../core/legacy/json-slice.ts';
import { headerNameFault, headerValueFault, parseSecretReference } from '../core/legacy/legacy-config.ts';
import { compileLegacyUrl } from '../core/legacy/legacy-url.ts';
import * as limits from '../core/limits.ts';
import { CITUS_REFUSED, RECORD_COMPATS } from '../core/system-of-record/record-dialect.ts';
import { RESP_CONNECTIONS_MAX } from '../core/clients/redis-limits.ts';
import { NODE_ID_COUNT } from '../core/version.ts';
import { crossFaults, faultsOf, openDoors, wellFormed, yamlReason } from './faults.ts';
import { joinWishOf, withTold } from './join.ts';
import type { ClusterTold, JoinWish } from './join.ts';
import { environmentLayer, isObject, mergeLayers, pathLayer } from './layers.ts';
import { LOG_SETTINGS, METRICS_SETTINGS, RECORD_SETTINGS, SCRUB_SETTINGS } from './sections.ts';

const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be 1 to 63 letters, digits, ., _ or -');
const port = z.int().min(0).max(65_535);
const milliseconds = z.int().min(1).max(3_600_000);
const host = z.string().min(1).max(253);
const address = z.string().refine(isDoorAddress, 'must be host:port');
const jsonPointer = z
  .string()
  .refine((text) => parseJsonPointer(text) !== null, 'must be a JSON Pointer, such as /value');
const legacyUrl = z.string().superRefine((text, context) => {
  const compiled = compileLegacyUrl(text);
  if (compiled.kind === 'invalid') context.addIssue({ code: 'custom', message: compiled.reason });
});
const legacyHeaders = z
  .record(z.string().min(1), z.string())
  .superRefine((headers, context) => {
    for (const [header, value] of Object.entries(headers)) {
      const fault = headerNameFault(header) ?? headerValueFault(header, value);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
    }
  })
  .default({});
const secretReference = z
  .string()
  .refine((text) => parseSecretReference(text)?.prefix === '', 'must be env:NAME or file:/path');
const postgresUrl = z
  .string()
  .regex(/^postgres(ql)?:\/\/./, 'must begin with postgres:// or postgresql://')
  .refine(
    isPostgresUrl,
    'is no URL: is its port a number, and is what its password has of /, ?, #, @ and % escaped, in UTF-8?',
  );

/** As PostgreSQL's client parses it: without a host if the query names a socket's directory. */
function isPostgresUrl(text: string): boolean {
  return (URL.canParse(text) || URL.canParse(text.replace('@/', '@localhost/'))) && isDecodable(text);
}

/** The client takes a text with a stray % literally, and decodes it if every % begins an escape. */
function isDecodable(text: string): boolean {
  if (/ |%(?![0-9a-f]{2})/i.test(text)) return true;
  try {
    return decodeURIComponent(text.split('?')[0]!) !== '';
  } catch {
    return false;
  }
}

/** Most people first write a plain text here, so the error says what a member looks like. */
const member = {
  error: ({ input }: { readonly input?: unknown }) =>
    typeof input === 'string'
      ? 'must be a list in a file, each with its name and address: { name: node-1, address: 10.0.0.1:50051 }'
      : undefined,
};

/** The kind of database at `postgres.url`. */
const recordCompat = z
  .enum(RECORD_COMPATS, {
    error: ({ input }) => (input === 'citus' ? CITUS_REFUSED : `must be one of ${RECORD_COMPATS.join(', ')}`),
  })
  .default('none');

/** A section that is left out takes the defaults of its members. */
const section = <Shape extends z.ZodRawShape>(shape: Shape) => z.strictObject(shape).prefault({} as never);

export const CONFIG = z.strictObject({
  cluster: section({
    name: name.default('causeway'),
    members: z
      .array(
        z.strictObject({ name, address, zone: z.string().default(''), host: z.string().default('') }, member),
        member,
      )
      .min(1)
      .max(NODE_ID_COUNT - 1),
    replicas: z.int().min(1).max(9).default(limits.REPLICA_COUNT_DEFAULT),
    ownersMin: z.int().min(1).max(9).default(limits.OWNER_COUNT_MIN_DEFAULT),
    /** 0 means never. */
    healAfterMs: z
      .int()
      .min(0)
      .max(7 * 24 * 3_600_000)
      .default(limits.HEAL_AFTER_MS_DEFAULT),
    /** 0 means never. */
    slowAfterMs: z.int().min(0).max(60_000).default(limits.SLOW_AFTER_MS_DEFAULT),
  }),
  node: section({
    name,
    dataDir: z.string().min(1),
    weight: z.number().min(0).max(1000).default(1),
    /** For a node that joins: where the others reach it, and its place. A founder's are in cluster.members. */
    address: address.optional(),
    zone: z.string().default(''),
    host: z.string().default(''),
    join: address.optional(),
    replace: name.optional(),
  }),
  grpc: section({ host: host.default('127.0.0.1'), port: port.default(50_051) }),
  http: section({
    host: host.default('127.0.0.1'),
    port: port.default(8080),
    /** Where others reach this door, if not at the node's own host with that port. */
    address: address.optional(),
  }),
  /** The Redis door; there is none without a port. */
  resp: section({
    host: host.default('127.0.0.1'),
    port: port.optional(),
    /** Where others reach this door, if not at the node's own host with that port. */
    address: address.optional(),
    password: secretReference.optional(),
    /** Where clients of this node reach the members' Redis doors, if not at the addresses that the members report. */
    members: z.array(z.strictObject({ name, address })).default([]),
    mayFlush: z.boolean().default(false),
    /** 0 means that connections may be idle for ever. */
    idleMsMax: z.int().min(0).max(86_400_000).default(0),
    connectionsMax: z.int().min(1).max(RESP_CONNECTIONS_MAX).default(RESP_CONNECTIONS_MAX),
  }),
  /** Null if it was explicitly set to none. */
  postgres: z
    .strictObject({
      url: postgresUrl,
      compat: recordCompat,
      statementTimeoutMs: milliseconds.default(5_000),
      connectTimeoutMs: milliseconds.default(5_000),
    })
    .nullable(),
  legacy: z
    .strictObject({
      url: legacyUrl,
      headers: legacyHeaders,
      value: jsonPointer.default('/value'),
      echo: jsonPointer.optional(),
      trustedEscapes: z
        .string()
        .regex(/^[/\\%]*$/, 'must hold nothing but /, \\ and %')
        .default(''),
      timeoutMs: milliseconds.default(2_000),
      concurrencyMax: z.int().min(1).max(1024).default(32),
    })
    .nullable()
    .default(null),
  /** The longest matching prefix of a key decides; a key that matches none is written through. */
  routes: z
    .array(
      z.strictObject({
        prefix: z.string().max(limits.KEY_BYTES_MAX),
        writeThrough: z.boolean().default(true),
      }),
    )
    .default([]),
  copy: section({
    bytesPerSecondMax: z.int().min(0).default(limits.COPY_BYTES_PER_SECOND_DEFAULT),
  }),
  scrub: section(SCRUB_SETTINGS),
  record: section(RECORD_SETTINGS),
  /** How much must stay free on the store's file system; on a small disk less. 0 turns the check off. */
  disk: section({
    reserveBytes: z.int().min(0).default(limits.DISK_RESERVE_BYTES_DEFAULT),
    reserveShareMax: z.number().min(0.001).max(0.5).default(limits.DISK_RESERVE_SHARE_DEFAULT),
  }),
  /** Milliseconds that a deletion is kept before it may be forgotten. */
  tombstones: section({
    keepMs: z
      .int()
      .min(0)
      .max(30 * 24 * 3_600_000)
      .default(limits.TOMBSTONE_KEEP_MS_DEFAULT),
  }),
  cache: section({ bytes: z.int().min(0).default(limits.CACHE_BYTES_DEFAULT) }),
  limits: section({
    valueBytesMax: z.int().min(1).max(limits.VALUE_BYTES_MAX).default(limits.VALUE_BYTES_MAX),
    delayMsMax: z.int().min(0).max(60_000).default(limits.OVERLOAD_DELAY_MS_DEFAULT),
  }),
  network: section({
    insecure: z.boolean().default(false),
    dial: z.array(z.strictObject({ name, address })).default([]),
  }),
  metrics: section(METRICS_SETTINGS),
  log: section(LOG_SETTINGS),
  shutdown: section({ graceMs: milliseconds.default(10_000) }),
});

export type Config = z.infer<typeof CONFIG>;

export interface ConfigSources {
  /** Path of a YAML or JSON file. */
  readonly file?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Texts by path, such as `{ 'grpc.port': '50052' }`. */
  readonly flags?: Readonly<Record<string, string>>;
  /** What a member of the cluster has reported. It ranks below everything given here, except for the members. */
  readonly told?: ClusterTold | undefined;
}

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];
  /**
   * The settings with malformed ones replaced by placeholders; null if nothing is usable. Only to look for further
   * faults.
   */
  readonly rest: Config | null;

  constructor(faults: readonly string[], rest: Config | null) {
    super(`the configuration is not usable:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.faults = faults;
    this.rest = rest;
  }
}

/** Throws ConfigError with all faults. `warnings` are for the log. */
export function loadConfig(sources: ConfigSources): { config: Config; warnings: string[] } {
  const environment = environmentLayer(sources.env ?? {});
  const flags = pathLayer(sources.flags ?? {});
  const faults = [...flags.faults];
  const file = readFileLayer(sources.file, faults);
  // If the file cannot be read, it is not known which settings are missing.
  if (file === undefined) throw new ConfigError(faults, null);
  const given = [file, environment.layer, flags.layer].reduce(mergeLayers, {});
  const merged = sources.told === undefined ? given : withTold(sources.told, given);
  const parsed = CONFIG.safeParse(noneAsNull(merged), { reportInput: true });
  if (!parsed.success) {
    const { issues } = parsed.error;
    const { given: left, isKnown } = wellFormed(issues, noneAsNull(merged));
    const rest = CONFIG.safeParse(left).data ?? null;
    const beside = rest === null ? [] : crossFaults(rest, isKnown);
    throw new ConfigError([...faults, ...issues.flatMap(faultsOf), ...beside], rest);
  }
  faults.push(...crossFaults(parsed.data));
  if (faults.length > 0) throw new ConfigError(faults, parsed.data);
  return { config: parsed.data, warnings: [...environment.warnings, ...warningsOf(parsed.data)] };
}

/** Where a joining process asks about the cluster, and where its store lies; undefined if it joins none. */
export function joinOf(sources: ConfigSources): JoinWish | undefined {
  const file = readFileLayer(sources.file, []);
  const layers = [file, environmentLayer(sources.env ?? {}).layer, pathLayer(sources.flags ?? {}).layer];
  return joinWishOf(layers.reduce(mergeLayers, {}));
}

/**
 * The settings that all members must share; members compare them when they connect. Secrets are included only as a
 * digest.
 */
export function settingsThatMustAgree(config: Config): Record<string, string> {
  const { cluster, legacy, routes } = config;
  const byPrefix = routes.map(({ prefix, writeThrough }) => JSON.stringify([prefix, writeThrough])).sort();
  return {
    'cluster.name': cluster.name,
    'cluster.replicas': String(cluster.replicas),
    'cluster.ownersMin': String(cluster.ownersMin),
    'limits.valueBytesMax': String(config.limits.valueBytesMax),
    leaseMs: String(limits.LEASE_MS),
    clockDriftMax: String(limits.CLOCK_DRIFT_MAX),
    routes: byPrefix.join(','),
    postgres: config.postgres === null ? 'none' : 'used',
    legacy: legacy === null ? 'none' : digest([legacy.url, legacy.value, legacy.echo ?? '']),
  };
}

function digest(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

/** The settings in the file; undefined if it cannot be read or is not YAML. */
export function readFileLayer(path: string | undefined, faults: string[]): unknown {
  if (path === undefined) return {};
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    faults.push(`${path}: cannot be read: ${systemReason(error)}`);
    return undefined;
  }
  // Without the library's pretty messages, which quote lines that may contain a password.
  const document = parseDocument(text, { prettyErrors: false });
  let lineBefore = 0;
  for (const { code, pos } of document.errors) {
    const line = text.slice(0, pos[0]).split('\n').length;
    // Further errors on the same line are mostly a consequence of the first.
    if (line !== lineBefore) faults.push(`${path}, line ${line}: is not YAML${yamlReason(code)}`);
    lineBefore = line;
  }
  if (document.errors.length > 0) return undefined;
  const value: unknown = document.toJS();
  if (isObject(value)) return value;
  if (value !== null) faults.push(`${path}: must hold settings by name`);
  return {};
}

function noneAsNull(merged: unknown): unknown {
  if (!isObject(merged)) return merged;
  const given = { ...merged };
  for (const key of ['postgres', 'legacy']) {
    if (given[key] === 'none') given[key] = null;
    // A bare `postgres:` in the file is null too, but says nothing.
    else if (given[key] === null) delete given[key];
  }
  return given;
}

function warningsOf(config: Config): string[] {
  const warnings = openDoors(config).map(
    (door) => `${door} listens on ${config[door].host}:${config[door].port!} without encryption or passwords`,
  );
  if (config.postgres === null) warnings.push('there is no PostgreSQL: records are kept on the nodes alone');
  return warnings;
}
