/**
 * `causeway cluster finish-upgrade`: shows which version of the peer protocol every member speaks, and enables the
 * highest common one if it is told to. After that no member can go back to an earlier program.
 */
import type { Command } from 'commander';
import type { CausewayClient } from '../client/index.ts';
import { addClientOptions, EXIT_NO, EXIT_OK, printJson, withClient } from './client-command.ts';
import type { ClientOptions, CommandIo } from './client-command.ts';
import { columnsOf, printLines } from './fitted.ts';
import { asFacts, membersOf, word } from './facts.ts';
import type { Facts } from './facts.ts';
import { tableLines } from './table.ts';

interface UpgradeOptions extends ClientOptions {
  readonly yes?: boolean;
}

export function upgradeCommand(cluster: Command, io: CommandIo): void {
  const command = cluster
    .command('finish-upgrade')
    .description('show which versions the members speak, and put the highest in force for good')
    .option('--yes', 'do it: no member can go back to an earlier program afterwards');
  addClientOptions(command).action((options: UpgradeOptions) =>
    withClient(io, options, async (client) => {
      const status = await statusOfOne(client);
      const { speaks, inForce } = asFacts(status['protocol']);
      const isFinished = Number(inForce) >= Number(speaks);
      if (!options.json) printLines(io.stdout, upgradeLines(status, columnsOf(io.stdout)));
      const isMeant = !isFinished && options.yes === true;
      const epoch = isMeant ? await client.finishUpgrade() : null;
      if (options.json) printJson(io, { speaks, inForce, members: membersOf(status).map(spokenOf), epoch });
      else if (isMeant) io.stdout.write(`version ${word(speaks)} is in force\n`);
      if (!isFinished && !isMeant) io.stderr.write('nothing was done: it takes --yes\n');
      return isFinished || isMeant ? EXIT_OK : EXIT_NO;
    }),
  );
}

/** The status of the first node that answers; throws its failure if none does. */
async function statusOfOne(client: CausewayClient): Promise<Facts> {
  const asked = await Promise.allSettled(client.nodes.map((address) => client.status(address)));
  const told = asked.find((each) => each.status === 'fulfilled');
  if (told === undefined) throw asked.find((each) => each.status === 'rejected')!.reason;
  return asFacts(told.value);
}

/** What each member speaks and what is in force, according to one node. */
export function upgradeLines(status: Facts, columnsMax?: number): string[] {
  const { speaks, inForce } = asFacts(status['protocol']);
  const rows = membersOf(status).map((member) => {
    const { name, protocol } = spokenOf(member);
    return [name, protocol === 0 ? 'away' : String(protocol)];
  });
  const lines = [
    ...tableLines(['MEMBER', 'SPEAKS UP TO'], rows, columnsMax),
    '',
    `in force: version ${word(inForce)}`,
  ];
  if (Number(inForce) >= Number(speaks)) return [...lines, 'the upgrade is finished'];
  return [
    ...lines,
    `Finished, version ${word(speaks)} is in force: what came with it can be used, and a`,
    'program that does not speak it takes no part any more and opens none of the data',
    'directories. Until then every node can go back to the program of before.',
  ];
}

function spokenOf({ name, protocol }: Facts): { name: string; protocol: number } {
  return { name: word(name), protocol: Number(protocol ?? 0) };
}
