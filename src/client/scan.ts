/** Yields all records one by one from exported pages. If a node fails, another one goes on after the last whole page. */
import { pause } from './bound.ts';
import type { Bound } from './bound.ts';
import { mayTryAnother } from './causeway-error.ts';
import { refused } from './entry.ts';
import type { ExportedPage, ScannedEntry } from './options.ts';

/** Milliseconds to wait before asking another node for the next page. */
const RETRY_MS = 200;

/** Fails if no page arrives within the time limit of a call, retries included. */
export async function* scan(
  prefix: string,
  { timeoutMs, signal }: Bound,
  pagesAfter: (after: string) => AsyncGenerator<ExportedPage, void>,
): AsyncGenerator<ScannedEntry, void> {
  if (typeof prefix !== 'string') throw refused('the prefix is no string');
  let after = '';
  for (let failsAt = performance.now() + timeoutMs; ;) {
    try {
      for await (const { entries, next } of pagesAfter(after)) {
        for (const found of entries) if (found.key.startsWith(prefix)) yield found;
        if (next === '') return;
        after = next;
        failsAt = performance.now() + timeoutMs;
      }
    } catch (error) {
      if (!mayTryAnother(error) || performance.now() + RETRY_MS >= failsAt) throw error;
      await pause(RETRY_MS, signal);
    }
  }
}
