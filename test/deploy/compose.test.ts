/**
 * The Compose project: it has the names and ports of the first system, and is checked against what a node makes of its
 * settings.
 */
import { describe, expect, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { configOf, exists, pageStatus, parseYaml, textOf, wordsNotKnown } from './deploy-files.ts';
import { environmentOf, interpolated, millisecondsOf, readCompose } from './compose.ts';
import { stagesOf } from './image.ts';

const text = textOf('compose.yaml');
const project = readCompose(parseYaml(text));
const nodes = Object.entries(project.services).filter(([name]) => /^node-\d+$/.test(name));
const configs = new Map(
  nodes.map(([name, service]) => [name, configOf(nodeEnvironment(environmentOf(service)))]),
);

/** The variables that Compose sets, plus those of the image. */
function nodeEnvironment(env: Record<string, string>): Record<string, string> {
  const words = stagesOf(textOf('Dockerfile'))
    .at(-1)!
    .find(({ word }) => word === 'ENV')!;
  const ofImage = words.rest.split(/\s+/).map((each) => each.split('=') as [string, string]);
  return { ...Object.fromEntries(ofImage.filter(([name]) => name.startsWith('CAUSEWAY_'))), ...env };
}

function published(name: string): string[] {
  return (project.services[name]!.ports ?? []).map((port) => port.replace('127.0.0.1:', ''));
}

test('a misspelt word, a port open to the world, an image without a tag: refused', () => {
  const changed = (from: string, to: string) => () => {
    expect(text).toContain(from);
    return readCompose(parseYaml(text.replace(from, to)));
  };
  expect(changed('read_only:', 'readonly:')).toThrow('readonly');
  expect(changed('127.0.0.1:5432:5432', '5432:5432')).toThrow('this machine alone');
  expect(changed('image: postgres:18.1-bookworm', 'image: postgres')).toThrow('must name a tag');
  expect(changed('condition: service_healthy', 'condition: healthy')).toThrow();
});

test('the contract of the first system: three nodes on 50051 to 50053, cache_db, the legacy API on 8001', () => {
  expect(nodes.map(([name]) => name)).toEqual(['node-1', 'node-2', 'node-3']);
  nodes.forEach(([name], at) => expect(published(name)).toContain(`${50_051 + at}:${50_051 + at}`));
  expect(published('legacy')).toEqual(['8001:8001']);
  expect(published('node-1')).toContain('8080:8080');
  expect(environmentOf(project.services['postgres']!)['POSTGRES_DB']).toBe('cache_db');
  expect([...configs.values()].map(({ postgres }) => new URL(postgres!.url).pathname)).toEqual(
    Array.from({ length: 3 }, () => '/cache_db'),
  );
});

describe.each([...configs])('%s', (name, config: Config) => {
  const service = project.services[name]!;

  test('is the member that the others reach by its name on the project network', () => {
    expect(config.node.name).toBe(name);
    expect(service.hostname).toBe(name);
    const own = config.cluster.members.find((member) => member.name === name)!;
    expect(own.address).toBe(`${name}:${config.grpc.port}`);
    expect(config.node.address).toBe(own.address);
    expect(config.cluster.members.map((member) => member.name)).toEqual(nodes.map(([each]) => each));
  });

  test('listens where its ports are published, on all addresses of its container', () => {
    expect([config.grpc.host, config.http.host, config.resp.host]).toEqual(['0.0.0.0', '0.0.0.0', '0.0.0.0']);
    // The usual port of Redis images, and that of the chart.
    expect(config.resp.port).toBe(6379);
    const inside = published(name).map((port) => Number(port.split(':')[1]));
    expect(new Set(inside)).toEqual(new Set([config.grpc.port, config.resp.port, config.http.port]));
    const told = config.resp.members.find((member) => member.name === name)!.address;
    expect(published(name)).toContain(`${told.split(':')[1]}:${config.resp.port}`);
  });

  test('keeps its store in a volume, everything else read-only, without rights', () => {
    const [volume, path] = service.volumes![0]!.split(':');
    expect(path).toBe(config.node.dataDir);
    expect(Object.keys(project.volumes)).toContain(volume);
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
    expect(service.security_opt).toContain('no-new-privileges:true');
  });

  test('is healthy when it is ready, and has longer to end than it takes', async () => {
    const script = service.healthcheck!.test.at(-1)!;
    const [, port, path] = /127\.0\.0\.1:(\d+)(\/[a-z]+)'/.exec(script)!;
    expect(Number(port)).toBe(config.http.port);
    expect(await pageStatus(path!)).not.toBe(404);
    expect(millisecondsOf(service.stop_grace_period!)).toBeGreaterThan(config.shutdown.graceMs);
    expect(wordsNotKnown(service.command!)).toEqual([]);
  });

  test('reaches PostgreSQL and the legacy API by the names and ports of their services', () => {
    const database = new URL(config.postgres!.url);
    const server = project.services[database.hostname]!;
    const given = environmentOf(server);
    expect(database.username).toBe(given['POSTGRES_USER']);
    expect(database.password).toBe(given['POSTGRES_PASSWORD']);
    const legacy = new URL(config.legacy!.url.replace('{key}', 'user'));
    const words = project.services[legacy.hostname]!.command!;
    expect(words[words.indexOf('--port') + 1]).toBe(legacy.port);
    expect(legacy.pathname).toBe('/legacy/data/user');
    expect(Object.keys(service.depends_on!).sort()).toEqual([legacy.hostname, database.hostname].sort());
  });
});

test('one service builds the image, all nodes run it, and nobody looks for it in a registry', () => {
  const users = Object.entries(project.services).filter(([, { image }]) => image.startsWith('causeway:'));
  expect(users.map(([name]) => name)).toEqual(['node-1', 'node-2', 'node-3', 'legacy']);
  // Compose marks what it builds with the service's name: two builders make two images of one tag.
  expect(users.filter(([, { build }]) => build !== undefined).map(([name]) => name)).toEqual(['node-1']);
  expect(new Set(users.map(([, { image }]) => image)).size).toBe(1);
  expect(users.map(([, service]) => service.pull_policy)).toEqual(users.map(() => 'never'));
});

test('another password goes to both sides; an empty variable is as good as none', () => {
  const env = { POSTGRES_PASSWORD: 'other' };
  expect(environmentOf(project.services['node-1']!, env)['DATABASE_URL']).toContain(':other@');
  expect(environmentOf(project.services['postgres']!, env)['POSTGRES_PASSWORD']).toBe('other');
  expect(interpolated('${A:-b} $${A}', { A: '' })).toBe('b ${A}');
});

test('the sample API is asked by words that it knows, and probed where it answers', () => {
  const { command, healthcheck } = project.services['legacy']!;
  expect(wordsNotKnown(command!)).toEqual([]);
  expect(wordsNotKnown([...command!, '--prot', '1'])).toEqual(['--prot', '1']);
  expect(healthcheck!.test.at(-1)).toContain(':8001/legacy/data/user:1001');
});

describe('the profile that watches', () => {
  const watching = ['prometheus', 'grafana', 'jaeger'];

  test('is on top of the cluster: only what belongs to it is left out without it', () => {
    const withProfile = Object.entries(project.services).filter(([, { profiles }]) => profiles !== undefined);
    expect(withProfile.map(([name]) => name)).toEqual(watching);
    for (const [, { profiles }] of withProfile) expect(profiles).toEqual(['observe']);
  });

  test('mounts what is there, into volumes that are named', () => {
    for (const name of Object.keys(project.services))
      for (const volume of project.services[name]!.volumes ?? []) {
        const [from] = volume.split(':');
        if (from!.startsWith('./')) expect([from, exists(from!)]).toEqual([from, true]);
        else expect(Object.keys(project.volumes)).toContain(from);
      }
  });

  test('scrapes every node at its HTTP door, and shows what it scrapes', () => {
    const { scrape_configs } = parseYaml(textOf('deploy/prometheus/prometheus.yml')) as {
      scrape_configs: { static_configs: { targets: string[] }[]; metrics_path: string }[];
    };
    const doors = [...configs].map(([name, { http }]) => `${name}:${http.port}`);
    expect(scrape_configs.flatMap((job) => job.static_configs.flatMap(({ targets }) => targets))).toEqual(
      doors,
    );
    const { datasources } = parseYaml(textOf('deploy/grafana/provisioning/datasources/prometheus.yml')) as {
      datasources: { url: string }[];
    };
    for (const { url } of datasources) {
      const { hostname, port } = new URL(url);
      expect(published(hostname)).toContain(`${port}:${port}`);
    }
  });
});
