/**
 * Kubernetes: the chart, the plain manifests generated from it, and what a node, its probes and its termination do with
 * both. After a change of the chart `npx vitest run test/deploy -u` regenerates the plain manifests.
 */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { renderChart, isSection, objectsOf, CHART } from './chart.ts';
import { configOf, filesUnder, pageStatus, parseYaml, textOf, wordsNotKnown } from './deploy-files.ts';
import type { Tree } from './deploy-files.ts';
import { stagesOf } from './image.ts';
import { optionOf, podEnvironment, statefulSetOf } from './pod-template.ts';
import type { Machine } from './pod-template.ts';
import { schemaFaults } from './schema.ts';

const EVERYTHING: Tree = {
  image: { tag: '9.9.9', pullSecrets: ['registry'] },
  replicas: 5,
  legacy: { url: 'http://legacy:8001', echo: '/key' },
  redis: { enabled: true },
  settings: { CAUSEWAY_CACHE_BYTES: '268435456', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' },
  storage: { className: 'fast' },
  networkPolicy: {
    clients: { podLabels: { app: 'shop' }, namespaceLabels: { team: 'shop' } },
    monitoring: { namespaceLabels: { team: 'watchers' } },
    egress: {
      enabled: true,
      rules: [{ to: [{ ipBlock: { cidr: '10.0.0.5/32' } }], ports: [{ port: 5432, protocol: 'TCP' }] }],
    },
  },
  prometheusRule: { enabled: true, labels: { role: 'alerts' }, handbook: 'https://wiki/causeway' },
  serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
  nodeSelector: { disk: 'nvme' },
  tolerations: [{ key: 'dedicated', operator: 'Exists', effect: 'NoSchedule' }],
};
const MACHINE: Machine = {
  name: 'worker-7',
  labels: { 'topology.kubernetes.io/zone': 'zone-b' },
  secrets: { 'causeway-database/url': 'postgresql://causeway:secret@db:5432/cache_db' },
};
const objects = objectsOf();
const set = statefulSetOf(objects);
const [container] = set.spec.template.spec.containers;

function only(
  kind: string,
  from: readonly Tree[] = objects,
): Record<string, unknown> & { metadata: { name: string } } {
  const found = from.filter((object) => object['kind'] === kind);
  expect(found).toHaveLength(1);
  return found[0] as Record<string, unknown> & { metadata: { name: string } };
}

test('the plain manifests are the chart with its own values', async () => {
  const rendered = renderChart({ serviceMonitor: { enabled: true } });
  rendered.delete('NOTES.txt');
  for (const [file, text] of rendered)
    await expect(text).toMatchFileSnapshot(`../../deploy/kubernetes/${file}`);
  const plain = filesUnder('deploy/kubernetes').map((path) => path.split('/').at(-1)!);
  expect(plain.sort()).toEqual([...rendered.keys()].sort());
});

test.each([
  ['its own values', {}],
  ['everything switched on', EVERYTHING],
  ['everything switched off', { networkPolicy: { enabled: false } }],
])('with %s every object is of its kind, by the published schemas', (_what, values: Tree) => {
  const all = objectsOf(values, { name: 'shop', namespace: 'data' });
  expect(all.flatMap((object) => schemaFaults(object))).toEqual([]);
  for (const { metadata } of all as { metadata: Tree }[]) expect(metadata['namespace']).toBe('data');
});

test('a wrong value, a missing one and a misspelt name: found', () => {
  const text = renderChart().get('stateful-set.yaml')!;
  const changed = (from: string, to: string): string => {
    expect(text).toContain(from);
    return schemaFaults(parseYaml(text.replace(from, to)) as Tree).join();
  };
  expect(changed('replicas: 3', 'replicas: three')).toContain('/spec/replicas');
  expect(changed('        - name: node\n', '        - nome: node\n')).toContain(
    '/spec/template/spec/containers/0',
  );
  expect(changed('readOnlyRootFilesystem', 'readonlyRootFilesystem')).toContain('readonlyRootFilesystem');
  expect(changed('kind: StatefulSet', 'kind: Statefulset')).toContain('no schema is known');
  const monitor = objectsOf(EVERYTHING).find((object) => object['kind'] === 'ServiceMonitor')!;
  expect(schemaFaults({ ...monitor, spec: { endpoints: [] } })).not.toEqual([]);
});

test('the names of all objects fit together', () => {
  const labels = { 'app.kubernetes.io/name': 'causeway', 'app.kubernetes.io/instance': 'causeway' };
  const services = objects.filter((object) => object['kind'] === 'Service') as Record<string, Tree>[];
  expect(services.map(({ metadata }) => metadata!['name'])).toEqual(['causeway', set.spec.serviceName]);
  for (const { spec } of services) expect(spec!['selector']).toEqual(labels);
  const named = container.ports.map(({ name }) => name);
  for (const { spec } of services)
    for (const port of spec!['ports'] as Tree[]) expect(named).toContain(port['targetPort']);
  expect(only('PodDisruptionBudget')['spec']).toMatchObject({
    maxUnavailable: 1,
    selector: { matchLabels: labels },
  });
  expect(only('NetworkPolicy')['spec']).toMatchObject({ podSelector: { matchLabels: labels } });
  expect(only('StatefulSet')).toMatchObject({
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels } } },
  });
  expect(set.spec.template.spec.serviceAccountName).toBe(only('ServiceAccount').metadata.name);
  expect(only('RoleBinding')).toMatchObject({
    roleRef: { name: 'causeway' },
    subjects: [{ name: 'causeway' }],
  });
  const [rule] = only('Role')['rules'] as Tree[];
  expect(rule).toEqual({
    apiGroups: ['apps'],
    resources: ['statefulsets'],
    resourceNames: [set.metadata.name],
    verbs: ['get'],
  });
});

describe('a node of the set', () => {
  const config = configOf(podEnvironment(set, 1, MACHINE));

  test('is reached by the name that the headless service gives it, as are all founders', () => {
    const { name, namespace } = set.metadata;
    const addressOf = (ordinal: number): string =>
      `${name}-${ordinal}.${set.spec.serviceName}.${namespace}.svc:${config.grpc.port}`;
    expect(config.node).toMatchObject({ name: 'causeway-1', address: addressOf(1) });
    expect(config.cluster.members).toEqual(
      [0, 1, 2].map((ordinal) => ({
        name: `${name}-${ordinal}`,
        address: addressOf(ordinal),
        zone: '',
        host: '',
      })),
    );
    const headless = objects.find((object) => (object['metadata'] as Tree)['name'] === set.spec.serviceName);
    // The pods must find each other before any of them is ready.
    expect(headless).toMatchObject({ spec: { clusterIP: 'None', publishNotReadyAddresses: true } });
    expect(set.spec.podManagementPolicy).toBe('Parallel');
  });

  test('is told its zone and its machine; without a label for the zone it has none', () => {
    expect(config.node).toMatchObject({ zone: 'zone-b', host: 'worker-7' });
    expect(configOf(podEnvironment(set, 1, { ...MACHINE, labels: {} })).node.zone).toBe('');
  });

  test('looks for its cluster at the service of nodes that are ready', () => {
    const { name, namespace } = set.metadata;
    expect(config.node.join).toBe(`${name}.${namespace}.svc:50051`);
  });

  test('more replicas, or fewer, change nothing of it: no node is started again for it', () => {
    const grown = statefulSetOf(objectsOf({ replicas: 7 }));
    expect(grown.spec.template).toEqual(set.spec.template);
    expect(grown.spec.replicas).toBe(7);
  });

  test('with all settings of the values: each is known to the program', () => {
    const all = statefulSetOf(objectsOf(EVERYTHING));
    const full = configOf(podEnvironment(all, 0, MACHINE));
    expect(full).toMatchObject({
      cache: { bytes: 268_435_456 },
      resp: { port: 6379 },
      legacy: { echo: '/key' },
    });
    const misspelt = statefulSetOf(objectsOf({ settings: { CAUSEWAY_CACHE_BYTE: '1' } }));
    expect(() => configOf(podEnvironment(misspelt, 0, MACHINE))).toThrow('CAUSEWAY_CACHE_BYTE');
  });

  test('keeps its store in its claim, and can write nowhere else but to /tmp', () => {
    const mounts = new Map(container.volumeMounts.map(({ name, mountPath }) => [name, mountPath]));
    const claims = set.spec.volumeClaimTemplates.map(({ metadata }) => metadata.name);
    expect(claims).toEqual(['data']);
    expect(config.node.dataDir.startsWith(`${mounts.get('data')!}/`)).toBe(true);
    expect([...mounts.keys()].sort()).toEqual(
      [...claims, ...set.spec.template.spec.volumes.map(({ name }) => name)].sort(),
    );
    expect(container.securityContext.readOnlyRootFilesystem).toBe(true);
  });

  test('runs as the user of the image, by words of its command line', () => {
    const image = stagesOf(textOf('Dockerfile')).at(-1)!;
    const { runAsUser, runAsGroup, fsGroup } = set.spec.template.spec.securityContext;
    expect(image.find(({ word }) => word === 'USER')!.rest).toBe(`${runAsUser}:${runAsGroup}`);
    expect(fsGroup).toBe(runAsGroup);
    expect(wordsNotKnown(container.args)).toEqual([]);
    const { version } = JSON.parse(textOf('package.json')) as { version: string };
    expect(container.image).toBe(`causeway:${version}`);
  });

  test('is probed at pages that it has, on the ports that it listens on', async () => {
    const ports = new Map(container.ports.map(({ name, containerPort }) => [name, containerPort]));
    expect(ports).toEqual(
      new Map([
        ['grpc', config.grpc.port],
        ['http', config.http.port],
      ]),
    );
    const { startupProbe, livenessProbe, readinessProbe } = container;
    for (const { httpGet } of [startupProbe, livenessProbe, readinessProbe]) {
      expect(httpGet.port).toBe('http');
      expect(await pageStatus(httpGet.path)).not.toBe(404);
    }
    // Alive is not ready: a node without PostgreSQL, or without its peers, must not be restarted for that.
    expect([startupProbe.httpGet.path, livenessProbe.httpGet.path]).toEqual(['/healthz', '/healthz']);
    expect(readinessProbe.httpGet.path).toBe('/readyz');
  });

  test('has time to leave, or to be safe, and then for its own end', async () => {
    const { command } = container.lifecycle.preStop.exec;
    const image = stagesOf(textOf('Dockerfile')).at(-1)!;
    expect(command.slice(0, 2)).toEqual(JSON.parse(image.find(({ word }) => word === 'ENTRYPOINT')!.rest));
    expect(wordsNotKnown(command.slice(2))).toEqual([]);
    expect(optionOf(command, 'stateful-set')).toBe(set.metadata.name);
    // Asked before a node that will come back is stopped.
    expect(await pageStatus('/safe-to-stop')).not.toBe(404);
    const waits = ['leave-seconds', 'safe-seconds'].map((name) => Number(optionOf(command, name)));
    const grace = set.spec.template.spec.terminationGracePeriodSeconds;
    expect(grace * 1_000).toBeGreaterThanOrEqual(Math.max(...waits) * 1_000 + 2 * config.shutdown.graceMs);
  });
});

test('who may reach the doors can be narrowed down to pods with a label, in namespaces with one', () => {
  const peersOf = (values: Tree): unknown => {
    const spec = only('NetworkPolicy', objectsOf(values))['spec'] as { ingress: { from: unknown }[] };
    return spec.ingress[1]!.from;
  };
  expect(peersOf({})).toEqual([{ podSelector: {} }]);
  expect(peersOf(EVERYTHING)).toEqual([
    {
      podSelector: { matchLabels: { app: 'shop' } },
      namespaceSelector: { matchLabels: { team: 'shop' } },
    },
  ]);
});

test('a Prometheus in another namespace may be let in, to HTTP alone; metrics carry the job that the alerts ask for', () => {
  const rulesOf = (values: Tree): Tree[] =>
    (only('NetworkPolicy', objectsOf(values))['spec'] as { ingress: Tree[] }).ingress;
  expect(rulesOf({})).toHaveLength(2);
  expect(rulesOf(EVERYTHING)[2]).toEqual({
    from: [{ podSelector: {}, namespaceSelector: { matchLabels: { team: 'watchers' } } }],
    ports: [{ port: 'http' }],
  });
  const all = objectsOf(EVERYTHING, { name: 'shop', namespace: 'data' });
  const { jobLabel, selector, endpoints } = only('ServiceMonitor', all)['spec'] as {
    jobLabel: string;
    selector: { matchLabels: Tree };
    endpoints: { port: string }[];
  };
  const services = all.filter((object) => object['kind'] === 'Service') as Record<string, Tree>[];
  const scraped = services.filter(({ metadata, spec }) => {
    const labels = metadata!['labels'] as Tree;
    const isChosen = Object.entries(selector.matchLabels).every(([name, value]) => labels[name] === value);
    return isChosen && (spec!['ports'] as Tree[]).some(({ name }) => name === endpoints[0]!.port);
  });
  // Through a single service, or each node would be counted twice.
  expect(scraped.map(({ metadata }) => metadata!['name'])).toEqual(['shop']);
  const job = (scraped[0]!['metadata']!['labels'] as Tree)[jobLabel];
  const alerts = textOf('deploy/prometheus/rules/causeway.yml');
  expect([...alerts.matchAll(/job="([^"]+)"/g)].map(([, name]) => name)).toEqual([job]);
  expect(textOf('deploy/prometheus/prometheus.yml')).toContain(`job_name: ${job as string}`);
});

test('what nodes may reach can be narrowed down, too: each other, names, and what is named', () => {
  const specOf = (values: Tree): Tree => only('NetworkPolicy', objectsOf(values))['spec'] as Tree;
  expect([specOf({})['policyTypes'], specOf({})['egress']]).toEqual([['Ingress'], undefined]);
  const narrow = specOf(EVERYTHING);
  expect(narrow['policyTypes']).toEqual(['Ingress', 'Egress']);
  const [nodes, names, ...rest] = narrow['egress'] as Tree[];
  expect(nodes).toEqual({
    to: [{ podSelector: narrow['podSelector'] }],
    ports: [{ port: 'grpc' }, { port: 'http' }],
  });
  expect(names).toEqual({
    ports: [
      { port: 53, protocol: 'UDP' },
      { port: 53, protocol: 'TCP' },
    ],
  });
  expect(rest).toEqual((EVERYTHING['networkPolicy'] as { egress: Tree }).egress['rules']);
  // These and no others, even without any rule.
  const least = specOf({ networkPolicy: { egress: { enabled: true } } });
  expect(least['egress']).toHaveLength(2);
});

test('the alerts for the operator of Prometheus: those of the file, with the address of the handbook', async () => {
  const alerts = textOf('deploy/prometheus/rules/causeway.yml');
  await expect(alerts).toMatchFileSnapshot(`../../${CHART}/alerts.yml`);
  expect(objectsOf().filter(({ kind }) => kind === 'PrometheusRule')).toEqual([]);
  const { metadata, spec } = only('PrometheusRule', objectsOf(EVERYTHING)) as unknown as Record<string, Tree>;
  expect(metadata!['labels']).toMatchObject({ 'app.kubernetes.io/name': 'causeway', role: 'alerts' });
  const moved = alerts.replaceAll('docs/OPERATIONS.md#', 'https://wiki/causeway#');
  expect(spec).toEqual(parseYaml(moved));
  expect(moved).toContain('runbook_url: https://wiki/causeway#a-node-does-not-answer');
});

test('values are checked by Helm itself: all of the chart fit, a misspelt or senseless one does not', () => {
  const values = parseYaml(textOf(`${CHART}/values.yaml`)) as Tree;
  const schema = z.fromJSONSchema(JSON.parse(textOf(`${CHART}/values.schema.json`)) as never);
  expect(schema.safeParse(values).error?.issues).toBeUndefined();
  expect(schema.safeParse({ ...values, ...EVERYTHING }).success).toBe(true);
  const wrong = [{ replica: 4 }, { replicas: '4' }, { founders: 0 }, { spread: { zone: 'DoNotSchedule' } }];
  for (const value of wrong)
    expect([value, schema.safeParse({ ...values, ...value }).success]).toEqual([value, false]);
});

test('every value of the chart is used, and says the version of the program', () => {
  const templates = filesUnder(`${CHART}/templates`).map(textOf).join('\n');
  const leaves = (tree: Tree, path: string): string[] =>
    Object.entries(tree).flatMap(([name, value]) =>
      isSection(value) ? leaves(value, `${path}.${name}`) : [`${path}.${name}`],
    );
  const values = leaves(parseYaml(textOf(`${CHART}/values.yaml`)) as Tree, '.Values');
  // Used by itself, or through a whole that it is part of.
  const isUsed = (path: string): boolean =>
    path
      .split('.')
      .map((_, at, names) => names.slice(0, at + 1).join('\\.'))
      .slice(2)
      .some((pattern) => new RegExp(`${pattern}(?![\\w.])`).test(templates));
  expect(values.filter((path) => !isUsed(path))).toEqual([]);
  // A value that no template uses is reported; of an unused whole, each part by itself.
  expect(['.Values.cluster.nome', '.Values.image'].filter(isUsed)).toEqual([]);
  const { version } = JSON.parse(textOf('package.json')) as { version: string };
  expect(parseYaml(textOf(`${CHART}/Chart.yaml`))).toMatchObject({ version, appVersion: version });
});
