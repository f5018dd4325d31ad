/**
 * `causeway guard`, a hidden command: runs one program on behalf of a supervisor, and stops it when the supervisor is
 * gone.
 */
import { type Command, InvalidArgumentError } from 'commander';
import { runGuard } from '../supervisor/guard.ts';

export function guardCommand(program: Command): void {
  program
    .command('guard', { hidden: true })
    .argument('<command>')
    .argument('[args...]')
    .requiredOption('--cwd <directory>')
    .option('--uid <id>', 'run as this user', idNumber)
    .option('--gid <id>', 'run as this group', idNumber)
    .action(async (command: string, args: string[], options: { cwd: string; uid?: number; gid?: number }) => {
      process.exit(await runGuard({ command, args, ...options }));
    });
}

function idNumber(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError('not a user or group id');
  return Number(text);
}
