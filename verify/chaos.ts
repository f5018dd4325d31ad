/** `npm run chaos`: faults strike a cluster under load, as a scenario says, and every promise is then judged. */
import { runCommand } from './chaos/command.ts';

process.exitCode = await runCommand(process.argv.slice(2));
