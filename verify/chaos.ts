/** `npm run chaos`: injects the faults of a scenario into a cluster under load, and then judges every promise. */
import { runCommand } from './chaos/command.ts';

// Whatever a stopped run is still waiting for must not hold anybody up.
process.exit(await runCommand(process.argv.slice(2)));
