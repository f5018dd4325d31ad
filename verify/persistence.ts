/** `npm run verify:persistence`: what was acknowledged survives the loss of all nodes at once, and of all their disks. */
import { runProgram } from './options.ts';
import { runPersistence } from './persistence-run.ts';

const DESCRIPTION = `Writes are looked up by plain SQL; all nodes are killed at once with kill -9 under load, once with their
disks and once with every node's data directory REMOVED; everything acknowledged is there afterwards.`;

await runProgram('persistence', DESCRIPTION, runPersistence);
