/**
 * Checks an object against the published schema of its kind, offline. The schemas ignore unknown names. So the object
 * is passed through a proxy that records which names the schema looks at; one that it never looked at is a mistake.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { z } from 'zod';
import { repositoryRoot as root } from '../support/root.ts';
import type { Tree } from './deploy-files.ts';

type Validate = ((data: unknown) => boolean) & {
  errors?: readonly { instancePath: string; message?: string }[];
};

/** Loaded by path: the package exports only its kinds. */
const load = createRequire(import.meta.url);

/** The schemas that our manifests need, by kind. */
const SCHEMAS: Readonly<Record<string, string>> = {
  'v1 Service': 'IoK8sApiCoreV1Service',
  'v1 ServiceAccount': 'IoK8sApiCoreV1ServiceAccount',
  'apps/v1 StatefulSet': 'IoK8sApiAppsV1StatefulSet',
  'policy/v1 PodDisruptionBudget': 'IoK8sApiPolicyV1PodDisruptionBudget',
  'networking.k8s.io/v1 NetworkPolicy': 'IoK8sApiNetworkingV1NetworkPolicy',
  'rbac.authorization.k8s.io/v1 Role': 'IoK8sApiRbacV1Role',
  'rbac.authorization.k8s.io/v1 RoleBinding': 'IoK8sApiRbacV1RoleBinding',
};

/** From the Prometheus operator, whose schemas are in no package; only as far as ours goes. */
const serviceMonitor = z.strictObject({
  apiVersion: z.literal('monitoring.coreos.com/v1'),
  kind: z.literal('ServiceMonitor'),
  metadata: z.strictObject({
    name: z.string(),
    namespace: z.string(),
    labels: z.record(z.string(), z.string()),
  }),
  spec: z.strictObject({
    jobLabel: z.string(),
    selector: z.strictObject({ matchLabels: z.record(z.string(), z.string()) }),
    endpoints: z
      .array(z.strictObject({ port: z.string(), path: z.string(), interval: z.string().regex(/^\d+[sm]$/) }))
      .min(1),
  }),
});

const prometheusRule = z.strictObject({
  apiVersion: z.literal('monitoring.coreos.com/v1'),
  kind: z.literal('PrometheusRule'),
  metadata: z.strictObject({
    name: z.string(),
    namespace: z.string(),
    labels: z.record(z.string(), z.string()),
  }),
  spec: z.strictObject({
    groups: z.array(
      z.strictObject({
        name: z.string(),
        rules: z.array(
          z.strictObject({
            alert: z.string(),
            expr: z.string(),
            for: z.string().optional(),
            labels: z.record(z.string(), z.string()),
            annotations: z.record(z.string(), z.string()),
          }),
        ),
      }),
    ),
  }),
});

const OF_THE_OPERATOR: Readonly<Record<string, z.ZodType>> = {
  'monitoring.coreos.com/v1 ServiceMonitor': serviceMonitor,
  'monitoring.coreos.com/v1 PrometheusRule': prometheusRule,
};

/** All violations of the schema; empty if there are none. */
export function schemaFaults(object: Tree): string[] {
  const kind = `${String(object['apiVersion'])} ${String(object['kind'])}`;
  const ofTheOperator = OF_THE_OPERATOR[kind];
  if (ofTheOperator !== undefined)
    return ofTheOperator.safeParse(object).error?.issues.map((issue) => issue.message) ?? [];
  const schema = SCHEMAS[kind];
  if (schema === undefined) return [`no schema is known for ${kind}`];
  const { validate } = load(join(root, `node_modules/kubernetes-models/_schemas/${schema}.js`)) as {
    validate: Validate;
  };
  const glass = new Glass();
  const isValid = validate(glass.over(object, ''));
  if (!isValid)
    return (validate.errors ?? []).map(
      (error) => `${error.instancePath}: ${error.message ?? 'is not valid'}`,
    );
  return glass.unseen();
}

class Glass {
  /** For each object, which of its names were looked at. */
  private readonly seen = new Map<object, { path: string; names: Set<string> }>();
  private readonly glasses = new Map<object, object>();

  over(value: object, path: string): object {
    const before = this.glasses.get(value);
    if (before !== undefined) return before;
    const names = new Set<string>();
    this.seen.set(value, { path, names });
    const glass = new Proxy(value, {
      get: (target, name) => {
        const inner: unknown = Reflect.get(target, name);
        if (typeof name === 'string') names.add(name);
        if (typeof inner !== 'object' || inner === null) return inner;
        return this.over(inner, `${path}/${String(name)}`);
      },
    });
    this.glasses.set(value, glass);
    return glass;
  }

  unseen(): string[] {
    return [...this.seen].flatMap(([value, { path, names }]) =>
      Object.keys(value)
        .filter((name) => !names.has(name))
        .map((name) => `${path}/${name}: there is no such name`),
    );
  }
}
