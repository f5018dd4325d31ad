/** `npm run chaos`: faults strike a cluster under load, as a scenario says, and every promise is then judged. */
import { runCommand } from './chaos/command.ts';

// What a stopped run still awaits holds nobody up.
process.exit(await runCommand(process.argv.slice(2)));
