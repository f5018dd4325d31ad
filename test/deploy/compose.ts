/**
 * The schema of a Compose file, as far as ours needs it. Anything else is refused, so that a misspelt word is found
 * although no engine reads the file. (Compose specification, services and volumes)
 */
import { z } from 'zod';

const duration = z.string().regex(/^\d+(ms|s|m|h)$/);
const bytes = z.string().regex(/^\d+[bkmg]$/);
const scalar = z.union([z.string(), z.number(), z.boolean()]);
const profile = z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/);

const service = z.strictObject({
  image: z.string().regex(/^[a-z0-9/._-]+:[A-Za-z0-9._${}:-]+$/, 'must name a tag'),
  build: z.strictObject({ context: z.string() }).optional(),
  pull_policy: z.literal('never').optional(),
  command: z.array(z.string()).optional(),
  restart: z.enum(['no', 'always', 'on-failure', 'unless-stopped']).optional(),
  profiles: z.array(profile).optional(),
  depends_on: z
    .record(z.string(), z.strictObject({ condition: z.enum(['service_started', 'service_healthy']) }))
    .optional(),
  hostname: z.string().optional(),
  environment: z.record(z.string().regex(/^[A-Z][A-Z0-9_]*$/), scalar).optional(),
  volumes: z.array(z.string().regex(/^[^:]+:\/[^:]+(:ro)?$/)).optional(),
  ports: z
    .array(z.string().regex(/^127\.0\.0\.1:\d+:\d+$/, 'must be published on this machine alone'))
    .optional(),
  read_only: z.boolean().optional(),
  tmpfs: z.array(z.string()).optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
  ulimits: z.strictObject({ nofile: z.strictObject({ soft: z.int(), hard: z.int() }) }).optional(),
  mem_limit: bytes.optional(),
  shm_size: bytes.optional(),
  stop_grace_period: duration.optional(),
  healthcheck: z
    .strictObject({
      test: z.tuple([z.enum(['CMD', 'CMD-SHELL'])], z.string()),
      interval: duration,
      timeout: duration,
      retries: z.int().min(1),
      start_period: duration.optional(),
    })
    .optional(),
});

const compose = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]*$/),
  services: z.record(z.string(), service),
  volumes: z.record(z.string(), z.null()),
});

export type Compose = z.infer<typeof compose>;
export type Service = z.infer<typeof service>;

/** Extensions (`x-...`) only hold anchors and mean nothing by themselves. Throws if the tree does not fit the schema. */
export function readCompose(tree: unknown): Compose {
  const meant = Object.entries(tree as object).filter(([name]) => !name.startsWith('x-'));
  return compose.parse(Object.fromEntries(meant));
}

/** Substitutes `${NAME:-otherwise}` and `$$` like Compose. */
export function interpolated(text: string, env: Readonly<Record<string, string>>): string {
  const pattern = /\$(?:\$|\{([A-Z_]+)(?::-([^}]*))?\})/g;
  return text.replace(pattern, (_all, name?: string, otherwise?: string): string => {
    if (name === undefined) return '$';
    const given = env[name] ?? '';
    return given === '' ? (otherwise ?? '') : given;
  });
}

export function environmentOf(
  { environment = {} }: Service,
  env: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, interpolated(String(value), env)]),
  );
}

export function millisecondsOf(text: string): number {
  const [, count, unit] = /^(\d+)(ms|s|m|h)$/.exec(text)!;
  return Number(count) * { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[unit as 'ms' | 's' | 'm' | 'h'];
}
