/**
 * `causeway cluster`: previews what a change of members would move, redistributes the slots, and gives up lost owners.
 */
import type { Command } from 'commander';
import type { MovePlan } from '../client/index.ts';
import {
  addClientOptions,
  EXIT_NO,
  EXIT_OK,
  printJson,
  repeatable,
  UsageError,
  withClient,
} from './client-command.ts';
import type { ClientOptions, CommandIo } from './client-command.ts';
import { columnsOf, printLines } from './fitted.ts';
import { adoptCommand } from './cluster-adopt.ts';
import { recoverCommand } from './cluster-recover.ts';
import { scrubCommand } from './cluster-scrub.ts';
import { upgradeCommand } from './cluster-upgrade.ts';
import { SLOT_COUNT } from '../core/limits.ts';
import { grouped } from './figures.ts';
import { watchMoves } from './progress.ts';
import { tableLines } from './table.ts';

interface PlanOptions extends ClientOptions {
  readonly join: readonly string[];
  readonly leave: readonly string[];
}

interface RebalanceOptions extends ClientOptions {
  readonly wait: boolean;
}

export function clusterCommand(program: Command, io: CommandIo): void {
  const cluster = program.command('cluster').description('what concerns the whole cluster');
  const plan = cluster
    .command('plan')
    .description('show what a change would move, without doing it')
    .addOption(repeatable('--join <name[:zone[:host]]>', 'a node that would join'))
    .addOption(repeatable('--leave <name>', 'a member that would leave'));
  addClientOptions(plan).action((options: PlanOptions) =>
    withClient(io, options, async (client) => {
      const told = await client.plan({ joins: options.join.map(joinOf), leaves: options.leave });
      if (options.json) printJson(io, told);
      else printLines(io.stdout, planLines(told, columnsOf(io.stdout)));
      return told.obstacle === '' ? EXIT_OK : EXIT_NO;
    }),
  );
  recoverCommand(cluster, io);
  adoptCommand(cluster, io);
  scrubCommand(cluster, io);
  upgradeCommand(cluster, io);
  const rebalance = cluster
    .command('rebalance')
    .description('share the slots out anew')
    .option('--no-wait', 'only ask for it');
  addClientOptions(rebalance).action((options: RebalanceOptions) =>
    withClient(io, options, async (client) => {
      const epoch = await client.rebalance();
      if (options.json) printJson(io, { epoch });
      if (!options.wait) return EXIT_OK;
      await watchMoves(
        client,
        io.stderr,
        (statuses) =>
          statuses.length > 0 &&
          statuses.every((status) => Number(status['epoch']) >= epoch && status['slotsMoving'] === 0),
      );
      return EXIT_OK;
    }),
  );
}

/** One line per member, and the totals; only the reason if the change is not possible. */
export function planLines(plan: MovePlan, columnsMax?: number): string[] {
  if (plan.obstacle !== '') return [`not possible: ${plan.obstacle}`];
  const rows = plan.shares.map(({ name, slotsBefore, slotsAfter, slotsGained }) => [
    name,
    grouped(slotsBefore),
    grouped(slotsAfter),
    grouped(slotsGained),
  ]);
  const lines = tableLines(['NODE', 'SLOTS', 'THEN', 'TO COPY'], rows, columnsMax);
  const { recordsCopied, slotsCopied } = plan;
  const records = `${grouped(recordsCopied)} ${recordsCopied === 1 ? 'record' : 'records'}`;
  lines.push(`${grouped(slotsCopied)} copies of slots would be made, about ${records}`);
  const fewer = fewerCopies(plan);
  return fewer === '' ? lines : [...lines, fewer];
}

/** By how much less the keys are protected after the change; '' if they are not, or if it is not possible. */
export function fewerCopies({ shares, obstacle }: MovePlan): string {
  if (obstacle !== '') return '';
  const before = copiesOfEach(shares.map(({ slotsBefore }) => slotsBefore));
  const after = copiesOfEach(shares.map(({ slotsAfter }) => slotsAfter));
  if (after >= before) return '';
  return `there are too few members for more: each key would have ${after} ${after === 1 ? 'copy' : 'copies'} instead of ${before}`;
}

function copiesOfEach(slotCounts: readonly number[]): number {
  const copies = slotCounts.reduce((sum, count) => sum + count, 0) / SLOT_COUNT;
  return Number(copies.toFixed(1));
}

function joinOf(text: string): { name: string; zone: string; host: string } {
  const [name = '', zone = '', host = ''] = text.split(':');
  if (name === '') throw new UsageError(`--join ${text}: must be name, name:zone or name:zone:host`);
  return { name, zone, host };
}
