/**
 * `causeway cluster recover`: shows what is lost when all complete owners of a slot are gone, and gives them up only if
 * it is explicitly told to. It does only what it has shown: if more is lost by then, nothing is done.
 */
import type { Command } from 'commander';
import type { CausewayClient, ClusterLoss } from '../client/index.ts';
import { addClientOptions, EXIT_NO, EXIT_OK, printJson, withClient } from './client-command.ts';
import type { CommandIo } from './client-command.ts';
import { columnsOf, printLines } from './fitted.ts';
import { goOnWithout, lostQuorum } from './cluster-succession.ts';
import { isConfirmed } from './confirm-loss.ts';
import type { RecoverOptions } from './confirm-loss.ts';
import { grouped } from './figures.ts';
import { printable, tableLines } from './table.ts';
import { waitingLines, waitingWrites } from './waiting-writes.ts';

interface ToldLoss {
  readonly address: string;
  readonly loss: ClusterLoss;
}

const POLL_MS = 250;
/** How many runs of slots are listed one by one. */
const RUNS_SHOWN_MAX = 8;

export function recoverCommand(cluster: Command, io: CommandIo): void {
  const command = cluster
    .command('recover')
    .description('show what is lost where members are gone for good, and go on without them')
    .option('--yes-lose-data', 'do it without a question; what nobody else has is lost')
    .option('--no-wait', 'only ask for it');
  addClientOptions(command).action((options: RecoverOptions) =>
    withClient(io, options, async (client) => {
      const lost = await lostQuorum(client);
      if (lost !== null) return goOnWithout(client, io, options, lost, () => untilWhole(client, io));
      const told = await askAll(client);
      const { loss } = told[0]!;
      const waiting = loss.slots.length > 0 ? await waitingWrites(client) : [];
      if (!options.json) {
        printLines(io.stdout, lossLines(told, columnsOf(io.stdout)));
        if (loss.slots.length > 0) printLines(io.stdout, waitingLines(waiting));
      }
      const isMeant =
        loss.slots.length > 0 &&
        (options.yesLoseData === true || (await isConfirmed(io, options, 'to give these owners up')));
      const epoch = isMeant ? await client.recover(loss.slots.length) : null;
      if (isMeant && options.wait) await untilWhole(client, io);
      if (options.json)
        printJson(io, { ...loss, recordsAt: recordsAt(told), waiting, givenUp: isMeant, epoch });
      if (loss.slots.length > 0 && !isMeant)
        io.stderr.write('nothing was done: it takes --yes-lose-data to give these owners up for good\n');
      return loss.slots.length === 0 || isMeant ? EXIT_OK : EXIT_NO;
    }),
  );
}

/** Asks every node, because each knows only its own disk. Throws the first failure if none answers. */
async function askAll(client: CausewayClient): Promise<ToldLoss[]> {
  const asked = await Promise.allSettled(
    client.nodes.map(async (address) => ({ address, loss: await client.loss(address) })),
  );
  const told = asked.filter((each) => each.status === 'fulfilled').map((each) => each.value);
  if (told.length > 0) return told;
  throw asked.find((each) => each.status === 'rejected')!.reason;
}

async function untilWhole(client: CausewayClient, io: CommandIo): Promise<void> {
  let shown = -1;
  for (;;) {
    const told = await askAll(client).catch(() => []);
    const left = told.map(({ loss }) => loss.recovering + loss.slots.length);
    const most = Math.max(...left, 0);
    if (told.length > 0 && most !== shown) io.stderr.write(`${grouped(most)} slots to be made whole\n`);
    shown = told.length > 0 ? most : shown;
    if (told.length > 0 && most === 0) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** What is lost, who had it, and what is left of it elsewhere. */
export function lossLines(told: readonly ToldLoss[], columnsMax?: number): string[] {
  const { loss } = told[0]!;
  const { slots, holders, recovering, notWrittenThrough } = loss;
  const lines: string[] = [];
  if (recovering > 0) lines.push(`${grouped(recovering)} slots were given up and are being made whole`);
  if (slots.length === 0) return [...lines, 'no slot is lost'];
  lines.push(`${grouped(slots.length)} slots have no living owner that is complete: ${runsOf(slots)}`, '');
  const rows = holders.map(({ name, slots: count, isMember }) => [
    name,
    grouped(count),
    isMember ? 'its slots are not lost if it comes back with its disk' : 'its disk is gone',
  ]);
  lines.push(...tableLines(['HELD LAST BY', 'SLOTS', ''], rows, columnsMax), '');
  const here = recordsAt(told).map(({ address, records }) => [address, grouped(records)]);
  lines.push(...tableLines(['NODE', 'RECORDS OF THEM, OF ANY AGE'], here, columnsMax), '');
  lines.push(`PostgreSQL ${keptWords(loss)}.`);
  if (notWrittenThrough.length > 0) {
    const prefixes = notWrittenThrough.map((prefix) => printable(prefix)).join(', ');
    lines.push(`Not in PostgreSQL at all are keys that begin with: ${prefixes}`);
  }
  lines.push(
    'Given up, each slot is made whole by one living member, from PostgreSQL and what',
    'that member has of it: the higher version of each key stays, everything else is',
    'lost. Operation ids used so far are forgotten. Whoever is given up must not run',
    'any more; it may come back later, and then copies from the others.',
  );
  return lines;
}

function recordsAt(told: readonly ToldLoss[]): { address: string; records: number }[] {
  return told.map(({ address, loss }) => ({ address, records: loss.recordsHere }));
}

function keptWords({ isCounted, hasMoreKept, recordsKept }: ClusterLoss): string {
  if (!isCounted) return 'could not be asked what it has of them';
  return `has ${hasMoreKept ? 'more than ' : ''}${grouped(recordsKept)} rows of them`;
}

/** For example `3-17, 20`. */
function runsOf(slots: readonly number[]): string {
  const runs: string[] = [];
  for (let start = 0; start < slots.length;) {
    let end = start + 1;
    while (end < slots.length && slots[end] === slots[end - 1]! + 1) end += 1;
    runs.push(end - start === 1 ? `${slots[start]!}` : `${slots[start]!}-${slots[end - 1]!}`);
    start = end;
  }
  const more = runs.length - RUNS_SHOWN_MAX;
  return runs.slice(0, RUNS_SHOWN_MAX).join(', ') + (more > 0 ? ` and ${grouped(more)} more runs` : '');
}
