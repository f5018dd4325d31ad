/** `causeway node leave`: a member gives up its slots and leaves for good; shows the progress until it is gone. */
import type { Command } from 'commander';
import { addClientOptions, EXIT_OK, printJson, withClient } from './client-command.ts';
import type { ClientOptions, CommandIo } from './client-command.ts';
import { fewerCopies } from './cluster.ts';
import { membersOf } from './facts.ts';
import { watchMoves } from './progress.ts';

interface LeaveOptions extends ClientOptions {
  readonly wait: boolean;
}

export function nodeLeaveCommand(node: Command, io: CommandIo): void {
  const command = node
    .command('leave <name>')
    .description('a member leaves for good: others take its slots first, then its process ends')
    .option('--no-wait', 'only ask for it');
  addClientOptions(command).action((name: string, options: LeaveOptions) =>
    withClient(io, options, async (client) => {
      // Only for the warning: whether the member may leave is the answer to the request itself.
      const plan = await client.plan({ leaves: [name] }).catch(() => null);
      const fewer = plan === null ? '' : fewerCopies(plan);
      if (fewer !== '') io.stderr.write(`warning: ${fewer}\n`);
      const epoch = await client.leave(name);
      if (options.json) printJson(io, { leaving: name, epoch });
      if (!options.wait) return EXIT_OK;
      await watchMoves(client, io.stderr, (statuses) =>
        statuses.some(
          (status) =>
            status['leaseHeld'] === true &&
            Number(status['epoch']) > epoch &&
            !membersOf(status).some((member) => member['name'] === name),
        ),
      );
      io.stderr.write(`${name} has left\n`);
      return EXIT_OK;
    }),
  );
}
