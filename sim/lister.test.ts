/** Keys are listed while slots move and nodes die: some order of all reads and writes explains each page. */
import { describe, expect, it } from 'vitest';
import type { SimCluster } from './cluster.ts';
import { PROFILES } from './profiles.ts';
import { runSeed } from './run.ts';

const profile = PROFILES['listings']!;

/** Every page lacks its first record. */
function forgetful({ nodes }: SimCluster): void {
  for (const { node } of nodes) {
    const scan = node!.scan.bind(node);
    node!.scan = (after, limit, timeoutMs, done) =>
      scan(after, limit, timeoutMs, (result) =>
        done(result.kind === 'page' ? { ...result, records: result.records.slice(1) } : result),
      );
  }
}

describe('one who lists keys all the while', () => {
  it('is told of what stands throughout, and of nothing that was gone', () => {
    let pages = 0;
    for (const seed of [1, 2]) {
      const { violation, occurred } = runSeed(seed, { profile, loadMs: 6_000 });
      expect(violation, `seed ${seed}`).toBeNull();
      pages += occurred.get('pageListed') ?? 0;
    }
    expect(pages).toBeGreaterThan(40);
  });

  it('pages that lack a record: caught', () => {
    const { violationKind } = runSeed(1, { profile, story: forgetful, faults: [], loadMs: 1_000 });
    expect(violationKind).toBe('history');
  });
});
