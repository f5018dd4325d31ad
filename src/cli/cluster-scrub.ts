/**
 * `causeway cluster scrub`: makes every node read back its disk now and compare it with the other owners and with
 * PostgreSQL, and shows the progress and the result. It succeeds only if no discrepancy is left.
 */
import type { Command } from 'commander';
import { reasonOf } from '../base/reason-of.ts';
import { addClientOptions, EXIT_NO, EXIT_OK, printJson, wholeNumber } from './client-command.ts';
import type { CommandIo } from './client-command.ts';
import { columnsOf, printLines } from './fitted.ts';
import { addOnlyOption, withEveryNode } from './every-node.ts';
import type { EveryNode, EveryNodeOptions } from './every-node.ts';
import { asFacts, word } from './facts.ts';
import type { Facts } from './facts.ts';
import { grouped } from './figures.ts';
import { lineInPlace, progressLine } from './progress.ts';
import { printable, tableLines } from './table.ts';

interface ScrubOptions extends EveryNodeOptions {
  readonly recordsPerSecond: number;
  readonly bytesPerSecond: number;
  readonly wait: boolean;
}

/** What the scrubber of one node reported about its round, or why it stopped reporting. */
interface Round {
  readonly address: string;
  readonly number: number;
  name: string;
  share: number;
  ended: Facts | null;
  fault: string;
  silentSince: number;
}

const SLOTS = 16_384;
const POLL_MS = 250;
/** Milliseconds of silence after which a node is given up. */
const SILENT_MS_MAX = 15_000;

export function scrubCommand(cluster: Command, io: CommandIo): void {
  const command = cluster
    .command('scrub')
    .description('read all records back and compare them, now; exit code 1 if something stays wrong')
    .option('--records-per-second <n>', 'of each node; 0: as fast as it goes', wholeNumber, 20_000)
    .option('--bytes-per-second <n>', 'of each node; 0: as fast as it goes', wholeNumber, 64 * 1024 * 1024)
    .option('--no-wait', 'only begin it');
  addClientOptions(addOnlyOption(command)).action((options: ScrubOptions) =>
    withEveryNode(options, async (nodes) => {
      const rounds = await beginAll(nodes, options);
      if (options.wait) await untilOver(nodes, rounds, io);
      if (options.json) printJson(io, { nodes: rounds.map(asData) });
      else if (options.wait) printLines(io.stdout, summaryLines(rounds, columnsOf(io.stdout)).map(printable));
      const isWell = rounds.every((round) => (options.wait ? isClean(round) : round.fault === ''));
      io.exit(isWell ? EXIT_OK : EXIT_NO);
    }),
  );
}

async function beginAll(nodes: EveryNode, options: ScrubOptions): Promise<Round[]> {
  const rate = {
    recordsPerSecondMax: options.recordsPerSecond,
    bytesPerSecondMax: options.bytesPerSecond,
  };
  return Promise.all(
    (await nodes.look()).map(async ({ address }): Promise<Round> => {
      const client = nodes.clientOf(address);
      const unknown = { address, name: '?', share: 0, ended: null, fault: '', silentSince: Date.now() };
      try {
        const number = await client.scrub(address, rate);
        const { name } = asFacts(await client.status(address));
        return { ...unknown, number, name: word(name) };
      } catch (error) {
        return { ...unknown, number: 0, fault: reasonOf(error) };
      }
    }),
  );
}

async function untilOver(nodes: EveryNode, rounds: readonly Round[], io: CommandIo): Promise<void> {
  const show = lineInPlace(io.stderr);
  const beganAt = Date.now();
  for (;;) {
    await Promise.all(rounds.filter(isOpen).map((round) => look(nodes, round)));
    const isOver = !rounds.some(isOpen);
    const asked = rounds.filter(({ fault }) => fault === '');
    const done = asked.reduce((sum, { share }) => sum + share * SLOTS, 0);
    const total = asked.length * SLOTS;
    const elapsed = (Date.now() - beganAt) / 1_000;
    const left = done > 0 ? Math.ceil((elapsed * (total - done)) / done) : null;
    show(progressLine(Math.floor(done), total, 0, left), isOver);
    if (isOver) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function isOpen({ ended, fault }: Round): boolean {
  return ended === null && fault === '';
}

async function look(nodes: EveryNode, round: Round): Promise<void> {
  let status: Facts;
  try {
    status = asFacts(await nodes.clientOf(round.address).status(round.address, { timeoutMs: 2_000 }));
  } catch (error) {
    if (Date.now() - round.silentSince > SILENT_MS_MAX) round.fault = reasonOf(error);
    return;
  }
  round.silentSince = Date.now();
  const scrub = asFacts(status['scrub']);
  const last = asFacts(scrub['last']);
  const current = asFacts(scrub['current']);
  if (Number(last['number'] ?? 0) >= round.number) {
    round.ended = last;
    round.share = 1;
  } else if (Number(current['number'] ?? 0) >= round.number) round.share = Number(scrub['share'] ?? 0);
  else round.fault = 'it was started anew amid its round';
}

function isClean({ ended }: Round): boolean {
  if (ended === null) return false;
  return ['unrepaired', 'conflicts', 'slotsUncompared'].every((what) => Number(ended[what]) === 0);
}

const HEADINGS = [
  'NODE',
  'RECORDS',
  'ROWS',
  'SECONDS',
  'FOUND',
  'REPAIRED',
  'LEFT',
  'CONFLICTS',
  'NOT COMPARED',
];
const COUNTS = ['found', 'repaired', 'unrepaired', 'conflicts', 'slotsUncompared'];

function summaryLines(rounds: readonly Round[], columnsMax?: number): string[] {
  const ended = rounds.filter((round) => round.ended !== null);
  const lines = tableLines(
    HEADINGS,
    ended.map(({ name, ended: counts }) => [
      name,
      grouped(Number(counts!['records'])),
      // A node of an earlier version does not read rows.
      grouped(Number(counts!['rows'] ?? 0)),
      (Number(counts!['lengthMs']) / 1_000).toFixed(1),
      ...COUNTS.map((what) => grouped(Number(counts![what]))),
    ]),
    columnsMax,
  );
  for (const { address, fault } of rounds) if (fault !== '') lines.push(`${address}: ${fault}`);
  if (rounds.some((round) => round.ended !== null && Number(round.ended['conflicts']) > 0))
    lines.push(
      'one version has two contents somewhere: see scrub.conflict in the logs, nobody can decide it',
    );
  lines.push(rounds.every(isClean) ? 'all is as it should be' : 'not all is as it should be');
  return lines;
}

function asData({ address, name, number, ended, fault }: Round): Facts {
  return { address, name, number, round: ended, fault };
}
