/**
 * The settings that `causeway doctor` looks at. The cluster that a node is to join is asked for its own, as at the
 * node's start: most of what keeps a new node out shows there.
 */
import { reasonOf } from '../base/reason-of.ts';
import type { Config } from '../config/config.ts';
import type { JoinWish } from '../config/join.ts';
import { fault, note, ok, warning } from './doctor-finding.ts';
import type { Finding } from './doctor-finding.ts';
import { hasJoined, learnCluster, whatDiffers, whyNotJoin } from './node-join.ts';
import type { JoinedCluster } from './node-join.ts';
import { flagsOf, sourcesOf } from './settings-options.ts';
import type { SettingsOptions } from './settings-options.ts';

export interface ExaminedSettings {
  /** Null if they are not usable. */
  readonly config: Config | null;
  /** The members that are known; of a cluster that does not answer nobody is. */
  readonly members: readonly { readonly name: string; readonly address: string }[];
  readonly findings: readonly Finding[];
}

const NONE_GIVEN = 'name the file of the node by --config, or give its settings as causeway node takes them';

export async function examineSettings(
  options: SettingsOptions,
  env: NodeJS.ProcessEnv,
): Promise<ExaminedSettings> {
  const { loadConfig, joinOf, ConfigError } = await import('../config/config.ts');
  const { sources, joins } = await sourcesOf(options, env);
  try {
    const wish = joins === undefined ? undefined : joinOf(sources);
    const asked = wish === undefined ? null : await ask(wish);
    const told = typeof asked === 'object' && asked !== null ? asked : null;
    const { config, warnings } = loadConfig(told === null ? sources : { ...sources, told: told.told });
    const findings = [ok(`usable, for ${config.node.name}`), ...warnings.map((text) => note(text))];
    if (typeof asked === 'string') findings.push(warning(asked, ASK_WHERE));
    else if (told !== null) findings.push(await judgeJoin(told, config));
    return { config, members: typeof asked === 'string' ? [] : config.cluster.members, findings };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (await areNone(options, env)) {
      const findings = [note('none were given: only the machine was looked at', NONE_GIVEN)];
      return { config: null, members: [], findings };
    }
    const change = 'docs/CONFIGURATION.md has every setting';
    return { config: null, members: [], findings: error.faults.map((text) => fault(text, change)) };
  }
}

/** The cluster to join, or why it does not tell of itself. */
async function ask(wish: JoinWish): Promise<JoinedCluster | string> {
  try {
    return await learnCluster(wish.address, wish.dataDir);
  } catch (error) {
    return reasonOf(error);
  }
}

/** What to look at where nobody tells of the cluster; the process would wait for it. */
const ASK_WHERE = 'is a member up there, is the port open in every firewall, and is node.join right?';

async function judgeJoin({ facts }: JoinedCluster, config: Config): Promise<Finding> {
  const { settingsThatMustAgree } = await import('../config/config.ts');
  const { name, dataDir, replace } = config.node;
  const isKnown = hasJoined(dataDir);
  const obstacle =
    whyNotJoin(facts, name, replace, isKnown) ??
    (isKnown ? undefined : whatDiffers(facts, settingsThatMustAgree(config), name));
  if (obstacle === undefined)
    return ok(
      isKnown
        ? `it has joined the cluster ${facts.clusterName} before`
        : `the cluster ${facts.clusterName} lets it in with these settings`,
    );
  return fault(`the cluster would not let it in: ${obstacle}`, 'make it as the cluster has it');
}

async function areNone(options: SettingsOptions, env: NodeJS.ProcessEnv): Promise<boolean> {
  if (options.config !== undefined || Object.keys(flagsOf(options)).length > 0) return false;
  const { environmentLayer } = await import('../config/layers.ts');
  return environmentLayer(env).names.size === 0;
}
