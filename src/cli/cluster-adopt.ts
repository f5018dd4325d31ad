/**
 * `causeway cluster adopt-record`: shows which PostgreSQL is in use and which other one a node sees. It adopts that one
 * only if it is explicitly told to, and only if it is still the one that was shown; otherwise nothing is done.
 */
import type { Command } from 'commander';
import type { CausewayClient, RecordServerFacts, RecordServerIdentity } from '../client/index.ts';
import { addClientOptions, EXIT_NO, EXIT_OK, printJson, withClient } from './client-command.ts';
import type { ClientOptions, CommandIo } from './client-command.ts';
import { printLines } from './fitted.ts';
import { CONFIRMATION, isConfirmed } from './confirm-loss.ts';
import { grouped } from './figures.ts';
import { printable } from './table.ts';

interface AdoptOptions extends ClientOptions {
  readonly yes?: boolean;
  readonly backup?: boolean;
  readonly yesLoseData?: boolean;
}

interface Told {
  readonly address: string;
  readonly facts: RecordServerFacts;
}

export function adoptCommand(cluster: Command, io: CommandIo): void {
  const command = cluster
    .command('adopt-record')
    .description('show which PostgreSQL a node sees instead of the one in use, and take that one into use')
    .option('--yes', 'do it without a question')
    .option('--backup', 'what stands in it is of before the founding in force, and a backup of this cluster')
    .option('--yes-lose-data', 'do it although rows are lost by it that no node holds');
  addClientOptions(command).action((options: AdoptOptions) =>
    withClient(io, options, async (client) => {
      const told = await askAll(client);
      const others = told.filter(({ facts }) => facts.verdict !== 'inUse');
      const [one] = others;
      if (options.json !== true) printLines(io.stdout, adoptionLines(told).map(printable));
      const isOne = others.every(({ facts }) => isSame(facts.seen, one!.facts.seen));
      const isMeant =
        one !== undefined &&
        isOne &&
        one.facts.verdict !== 'refused' &&
        (await isAsked(io, options, one.facts));
      const epoch = isMeant ? await client.adoptRecord(one.address, orderOf(one.facts)) : null;
      if (options.json === true) printJson(io, { nodes: told, adopted: isMeant, epoch });
      if (!isOne) io.stderr.write('nothing was done: name a node that sees the right one with --nodes\n');
      else if (one !== undefined && !isMeant) io.stderr.write(`nothing was done${whyNot(one.facts)}\n`);
      else if (isMeant) io.stderr.write(`${NEXT_STEPS}\n`);
      return one === undefined || isMeant ? EXIT_OK : EXIT_NO;
    }),
  );
}

const NEXT_STEPS =
  'It is in use. Now give the other nodes its address, too, and start them again\n' +
  'one by one: until then they refuse writes. causeway status shows who sees which,\n' +
  'and what is compared.';

/** Asks every node, and returns the answers. Throws the first failure if none answers. */
async function askAll(client: CausewayClient): Promise<Told[]> {
  const asked = await Promise.allSettled(
    client.nodes.map(async (address) => ({ address, facts: await client.recordServer(address) })),
  );
  const told = asked.filter((each) => each.status === 'fulfilled').map((each) => each.value);
  if (told.length > 0) return told;
  throw asked.find((each) => each.status === 'rejected')!.reason;
}

async function isAsked(io: CommandIo, options: AdoptOptions, facts: RecordServerFacts): Promise<boolean> {
  if (options.yes === true) {
    const isBackupSaid = facts.verdict !== 'earlier' || options.backup === true;
    return isBackupSaid && (facts.loses === '' || options.yesLoseData === true);
  }
  const word = facts.loses === '' ? 'adopt' : CONFIRMATION;
  return isConfirmed(io, options, 'to take this PostgreSQL into use', word);
}

function orderOf({ seen, verdict, loses }: RecordServerFacts): {
  readonly seen: RecordServerIdentity;
  readonly isBackup: boolean;
  readonly mayLose: boolean;
} {
  return { seen, isBackup: verdict === 'earlier', mayLose: loses !== '' };
}

function whyNot({ verdict, why, loses }: RecordServerFacts): string {
  if (verdict === 'refused') return `: it is not accepted, for ${why}`;
  const backup = verdict === 'earlier' ? ' --backup' : '';
  return `: it takes --yes${backup}${loses === '' ? '' : ' --yes-lose-data'}`;
}

/** Which server is in use, which one each node sees, and what adopting the other one would mean. */
export function adoptionLines(told: readonly Told[]): string[] {
  const { known, isDriven } = told[0]!.facts;
  const lines = [
    `In use: system ${known.system}, timeline ${known.timeline}, founding ${known.clusterId.slice(0, 8)} life ${known.life}`,
    isDriven
      ? 'It has everything that the nodes hold, as far as is known.'
      : 'It is being compared with what the nodes hold.',
    '',
    ...told.flatMap(seenLines),
    '',
  ];
  const one = told.find(({ facts }) => facts.verdict !== 'inUse')?.facts;
  if (one === undefined) return [...lines, 'Every node sees the one in use: there is nothing to do.'];
  if (one.verdict === 'refused') return [...lines, `It is not accepted: ${one.why}.`];
  lines.push(
    'Taken into use, it gets everything that the nodes hold and that it lacks, and',
    'what is older there is replaced. The one in use until now is not written to any',
    'more.',
  );
  if (one.verdict === 'earlier')
    lines.push(
      'What stands in it is not of the founding in force. Accept it only if it is a',
      'backup of this very cluster: rows of another one would become part of this.',
    );
  if (one.loses !== '') lines.push(`Lost is what only the one in use has: ${one.loses}.`);
  return lines;
}

function seenLines({ address, facts }: Told): string[] {
  const { seen, isCounted, rowCount, newestAtMs, verdict } = facts;
  const founding =
    seen.clusterId === '' ? 'no founding' : `founding ${seen.clusterId.slice(0, 8)} life ${seen.life}`;
  const rows = isCounted ? `${grouped(rowCount)} rows` : 'more rows than could be counted in time';
  const newest =
    newestAtMs === 0 ? '' : `, the latest change at ${new Date(newestAtMs).toISOString().slice(0, 19)}Z`;
  return [
    `${address} sees system ${seen.system}, timeline ${seen.timeline}: ${WORDS[verdict] ?? verdict}`,
    `  ${founding}, ${rows}${newest}`,
  ];
}

const WORDS: Readonly<Record<string, string>> = {
  inUse: 'the one in use',
  ready: 'may be taken into use',
  earlier: 'from before the founding',
  refused: 'not accepted',
};

function isSame(one: RecordServerIdentity, other: RecordServerIdentity): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
