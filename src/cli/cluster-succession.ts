/**
 * `causeway cluster recover` when the council has lost its majority: shows who is up and what it would cost to go on
 * without the others, and has one of the members that are up do it. It does only what it has shown: if other members
 * are up by then, nothing is done.
 */
import type { CausewayClient, ClusterQuorum } from '../client/index.ts';
import { EXIT_NO, EXIT_OK, printJson } from './client-command.ts';
import type { CommandIo } from './client-command.ts';
import { columnsOf, printLines } from './fitted.ts';
import { isConfirmed } from './confirm-loss.ts';
import type { RecoverOptions } from './confirm-loss.ts';
import { printable, tableLines } from './table.ts';
import { waitingLines, waitingWrites } from './waiting-writes.ts';

export interface ToldQuorum {
  readonly address: string;
  readonly quorum: ClusterQuorum;
}

/**
 * Null if the nodes that answer can choose an epoch, or if nobody answers. The node with links to most of the others is
 * believed.
 */
export async function lostQuorum(client: CausewayClient): Promise<ToldQuorum | null> {
  const asked = await Promise.allSettled(
    client.nodes.map(async (address) => ({ address, quorum: await client.quorum(address) })),
  );
  const told = asked.filter((each) => each.status === 'fulfilled').map((each) => each.value);
  if (told.some(({ quorum }) => !quorum.isLost)) return null;
  // Prefers the node that knows the latest epoch, then the one with the most links.
  const rank = ({ quorum }: ToldQuorum): number =>
    quorum.epoch * quorum.members.length + quorum.members.filter((member) => member.isUp).length;
  return told.sort((a, b) => rank(b) - rank(a))[0] ?? null;
}

export async function goOnWithout(
  client: CausewayClient,
  io: CommandIo,
  options: RecoverOptions,
  { address, quorum }: ToldQuorum,
  untilWhole: () => Promise<void>,
): Promise<number> {
  const waiting = await waitingWrites(client);
  if (options.json !== true) {
    printLines(io.stdout, quorumLines(quorum, columnsOf(io.stdout)));
    printLines(io.stdout, waitingLines(waiting));
  }
  const mayBe = quorum.isLifeKnown;
  const isMeant =
    mayBe &&
    (options.yesLoseData === true || (await isConfirmed(io, options, 'to go on without these members')));
  const lost = namesOf(quorum, false);
  const epoch = isMeant ? await client.succeed(address, { lost, lifeKept: quorum.lifeKept }) : null;
  if (isMeant && options.wait) await untilWhole();
  if (options.json === true) printJson(io, { ...quorum, waiting, givenUp: isMeant, epoch });
  if (!mayBe) io.stderr.write('nothing was done: PostgreSQL must answer first\n');
  else if (!isMeant)
    io.stderr.write('nothing was done: it takes --yes-lose-data to go on without these members\n');
  return isMeant ? EXIT_OK : EXIT_NO;
}

/** Who is up, what can be done, and what that costs. */
export function quorumLines(quorum: ClusterQuorum, columnsMax?: number): string[] {
  const { members, life, lifeKept, isLifeKnown, ownersNeeded, notWrittenThrough } = quorum;
  const voters = members.filter((member) => member.votes);
  const up = namesOf(quorum, true);
  const votersUp = voters.filter((member) => member.isUp).length;
  const rows = members.map(({ name, isUp, votes }) => [name, isUp ? 'up' : 'gone', votes ? 'yes' : '']);
  const lines = [
    `${votersUp} of ${voters.length} voters are up, and more than half are needed: nothing is served.`,
    '',
    ...tableLines(['MEMBER', 'STATE', 'VOTES'], rows, columnsMax),
    '',
    'If enough of those that are gone can come back with their disks, start them:',
    'then nothing is lost.',
    '',
  ];
  if (!isLifeKnown) return [...lines, 'To go on without them PostgreSQL must answer, and it does not.'];
  if (lifeKept > life)
    lines.push(
      `PostgreSQL takes nothing of life ${life} any more,`,
      `but of life ${lifeKept}: it was begun and not finished, or others live in it.`,
      'Where they do, nothing is done here, and it is told who they are.',
    );
  lines.push(
    `Going on without them begins life ${lifeKept + 1} of the cluster, with these alone:`,
    `${up.join(', ')}.`,
    '- Each slot is made whole by one of them, from PostgreSQL and its own disk:',
    '  the higher version of each key stays. What was acknowledged and stands in',
    '  PostgreSQL is not lost. Operation ids used so far are forgotten.',
  );
  if (notWrittenThrough.length > 0) {
    const prefixes = notWrittenThrough.map((prefix) => printable(prefix)).join(', ');
    lines.push(
      `- Not in PostgreSQL at all are keys that begin with: ${prefixes}`,
      '  Of these there is only what those who are up have, and that may be old.',
    );
  }
  lines.push(
    '- Those that are gone must not run while this is done: they may still tell what',
    '  they hold. PostgreSQL takes nothing from them afterwards. They may come back',
    '  later, and then copy from the others.',
  );
  const missing = ownersNeeded - up.length;
  if (missing > 0)
    lines.push(`- A write needs ${ownersNeeded} members: only reads until ${missing} more come.`);
  return lines;
}

function namesOf({ members }: ClusterQuorum, isUp: boolean): string[] {
  return members.filter((member) => member.isUp === isUp).map(({ name }) => name);
}
