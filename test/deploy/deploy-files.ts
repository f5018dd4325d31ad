/**
 * Reads the files in deploy/ and at the root for images and clusters, and checks them against the program: settings
 * against the configuration, words against the command line, probes against the HTTP door.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { parseAllDocuments, parseDocument } from 'yaml';
import { legacySampleCommand } from '../../src/cli/legacy-sample.ts';
import { nodeCommand } from '../../src/cli/node.ts';
import { podCommand } from '../../src/cli/pod.ts';
import { loadConfig } from '../../src/config/config.ts';
import type { Config } from '../../src/config/config.ts';
import { httpRoutes } from '../../src/servers/http/server.ts';
import { keptIo } from '../support/command-io.ts';
import { FakeNodeApi } from '../support/fake-node-api.ts';
import { repositoryRoot as root } from '../support/root.ts';
import { pathsUnder } from '../tidy/places.ts';

export type Tree = Readonly<Record<string, unknown>>;

export function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

export function exists(path: string): boolean {
  return existsSync(join(root, path));
}

/** Paths relative to the root, sorted. */
export function filesUnder(folder: string): string[] {
  return pathsUnder(root, join(root, folder));
}

/** With anchors and `<<` resolved. */
export function parseYaml(text: string): unknown {
  const document = parseDocument(text, { merge: true });
  if (document.errors.length > 0) throw document.errors[0]!;
  return document.toJS();
}

/** All documents in a text, without empty ones. */
export function parseYamls(text: string): Tree[] {
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors.length > 0) throw document.errors[0]!;
    const value = document.toJS() as Tree | null;
    return value === null ? [] : [value];
  });
}

/**
 * The configuration that a node makes of these variables. Throws if it would not start, or would warn of an unknown
 * name.
 */
export function configOf(env: Readonly<Record<string, string>>): Config {
  const { config, warnings } = loadConfig({ env });
  const unknown = warnings.filter((warning) => warning.includes('is no setting'));
  if (unknown.length > 0) throw new Error(unknown.join('\n'));
  return config;
}

/** The status of a page of a node's HTTP door. */
export async function pageStatus(path: string): Promise<number> {
  return (await httpRoutes(new FakeNodeApi()).request(path)).status;
}

/** The words of a command line that no command, option or argument of the program accepts; nothing is run. */
export function wordsNotKnown(words: readonly string[]): string[] {
  const program = new Command('causeway');
  const { io } = keptIo();
  for (const add of [nodeCommand, legacySampleCommand, podCommand]) add(program, io);
  let command = program;
  let rest = [...words];
  for (let below; (below = command.commands.find((each) => each.name() === rest[0])) !== undefined;) {
    command = below;
    rest = rest.slice(1);
  }
  if (command === program) return rest;
  const { operands, unknown } = command.parseOptions(rest);
  return [...operands.slice(command.registeredArguments.length), ...unknown];
}
