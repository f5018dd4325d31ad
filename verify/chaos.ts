/** `npm run verify:chaos`: nodes die one after the other under load, and no acknowledged write is lost or stale. */
import { runChaos } from './chaos-run.ts';
import { runProgram } from './options.ts';

const DESCRIPTION = `Reads, writes, deletes, compares and increments while a random node is killed with kill -9, is an
owner again, and the next is killed. Then every acknowledged write is looked up in each owner's own
store and in PostgreSQL, and the whole history is checked for linearizability.`;

await runProgram('chaos', DESCRIPTION, runChaos);
