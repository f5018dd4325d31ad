/** `npm run verify:legacy`: the legacy API is asked once for each key, and never for a deleted one. */
import { runLegacy } from './legacy-run.ts';
import { runProgram } from './options.ts';

const DESCRIPTION = `A key that stands only in the legacy API is fetched once, is then in PostgreSQL and on its owners, and is
served while the legacy API answers nobody; 10,000 gets of one cold key make one call; deleted keys stay
deleted. Uses up four keys of the sample legacy API.`;

await runProgram('legacy', DESCRIPTION, runLegacy);
