/**
 * A pod as the kubelet makes it from a StatefulSet's template: with variables substituted, probes, and the preStop
 * command.
 */
import { z } from 'zod';
import type { Tree } from './deploy-files.ts';

const probe = z.object({
  httpGet: z.object({ path: z.string(), port: z.string() }),
  periodSeconds: z.int(),
  failureThreshold: z.int(),
});
const container = z.object({
  image: z.string(),
  args: z.array(z.string()),
  env: z.array(
    z.object({
      name: z.string(),
      value: z.string().optional(),
      valueFrom: z
        .union([
          z.strictObject({ fieldRef: z.strictObject({ fieldPath: z.string() }) }),
          z.strictObject({ secretKeyRef: z.strictObject({ name: z.string(), key: z.string() }) }),
        ])
        .optional(),
    }),
  ),
  ports: z.array(z.object({ name: z.string(), containerPort: z.int() })),
  startupProbe: probe,
  livenessProbe: probe,
  readinessProbe: probe,
  lifecycle: z.object({ preStop: z.object({ exec: z.object({ command: z.array(z.string()) }) }) }),
  securityContext: z.object({ readOnlyRootFilesystem: z.boolean() }),
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })),
});
const set = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string() }),
  spec: z.object({
    replicas: z.int(),
    serviceName: z.string(),
    podManagementPolicy: z.string(),
    template: z.object({
      spec: z.object({
        serviceAccountName: z.string(),
        terminationGracePeriodSeconds: z.int(),
        securityContext: z.object({ runAsUser: z.int(), runAsGroup: z.int(), fsGroup: z.int() }),
        containers: z.tuple([container]),
        volumes: z.array(z.object({ name: z.string() })),
      }),
    }),
    volumeClaimTemplates: z.array(z.object({ metadata: z.object({ name: z.string() }) })),
  }),
});

export type StatefulSet = z.infer<typeof set>;

export function statefulSetOf(objects: readonly Tree[]): StatefulSet {
  return set.parse(objects.find((object) => object['kind'] === 'StatefulSet'));
}

/** The machine that a pod runs on, and what it gets from outside its template. */
export interface Machine {
  readonly name: string;
  /** Labels that the cluster adds to the pod, such as its zone (from Kubernetes 1.35 on). */
  readonly labels: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
}

/** The variables of one container. A label that the pod does not have is empty, as with the kubelet. */
export function podEnvironment(
  { metadata, spec }: StatefulSet,
  ordinal: number,
  machine: Machine,
): Record<string, string> {
  const fields: Readonly<Record<string, string>> = {
    'metadata.name': `${metadata.name}-${ordinal}`,
    'metadata.namespace': metadata.namespace,
    'spec.nodeName': machine.name,
  };
  const fieldOf = (path: string): string => {
    const [, label] = /^metadata\.labels\['([^']+)'\]$/.exec(path) ?? [];
    if (label !== undefined) return machine.labels[label] ?? '';
    if (fields[path] === undefined) throw new Error(`no such field of a pod: ${path}`);
    return fields[path];
  };
  const env: Record<string, string> = {};
  for (const { name, value = '', valueFrom } of spec.template.spec.containers[0].env) {
    if (valueFrom === undefined) {
      // Only variables defined above are substituted; other references stay as they are.
      env[name] = value.replace(/\$\(([A-Z_]+)\)/g, (all, other: string) => env[other] ?? all);
    } else if ('fieldRef' in valueFrom) env[name] = fieldOf(valueFrom.fieldRef.fieldPath);
    else {
      const { name: secret, key } = valueFrom.secretKeyRef;
      const text = machine.secrets[`${secret}/${key}`];
      if (text === undefined) throw new Error(`there is no secret ${secret} with ${key}`);
      env[name] = text;
    }
  }
  return env;
}

/** The value of `--name=value` in a command line; undefined if it is not there. */
export function optionOf(words: readonly string[], name: string): string | undefined {
  return words.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
}
