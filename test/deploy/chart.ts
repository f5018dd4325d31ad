/** The Helm chart as Helm would render it for given values, and the objects in it. */
import { basename } from 'node:path';
import { isObject } from '../../src/config/layers.ts';
import { filesUnder, parseYaml, parseYamls, textOf } from './deploy-files.ts';
import type { Tree } from './deploy-files.ts';
import { Templates } from './go-template.ts';

export const CHART = 'deploy/helm/causeway';

export interface Release {
  readonly name: string;
  readonly namespace: string;
}

const RELEASE: Release = { name: 'causeway', namespace: 'causeway' };

/** The rendered text by file name; files that come out empty are left out. */
export function renderChart(values: Tree = {}, { name, namespace } = RELEASE): Map<string, string> {
  const sources = filesUnder(`${CHART}/templates`);
  const templates = new Templates(Object.fromEntries(sources.map((path) => [path, textOf(path)])));
  const chart = parseYaml(textOf(`${CHART}/Chart.yaml`)) as Tree;
  const root = {
    Values: merged(parseYaml(textOf(`${CHART}/values.yaml`)) as Tree, values),
    Release: { Name: name, Namespace: namespace },
    Chart: { AppVersion: chart['appVersion'] },
    Files: { Get: (path: string) => textOf(`${CHART}/${path}`) },
  };
  const rendered = new Map<string, string>();
  for (const path of sources) {
    if (basename(path).startsWith('_')) continue;
    const text = templates.render(path, root);
    if (text.trim() !== '') rendered.set(basename(path), `${text.trim()}\n`);
  }
  return rendered;
}

/** Every object of a release. */
export function objectsOf(values: Tree = {}, release = RELEASE): Tree[] {
  const files = [...renderChart(values, release)].filter(([file]) => file.endsWith('.yaml'));
  return files.flatMap(([, text]) => parseYamls(text));
}

/** A map with predefined names; one without any accepts arbitrary names. */
export function isSection(value: unknown): value is Tree {
  return isObject(value) && Object.keys(value).length > 0;
}

/** Merges values into those of the chart like `helm --set`; a name that the chart does not have is refused. */
function merged(base: Tree, over: Tree): Tree {
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    if (!Object.hasOwn(base, key)) throw new Error(`the chart has no value ${key}`);
    const own = base[key];
    result[key] = isSection(own) && isObject(value) ? merged(own, value) : value;
  }
  return result;
}
