/** Listing a simulated cluster: every live record once, in order, whichever node is asked and whatever fails. */
import { describe, expect, it } from 'vitest';
import type { ScanResult } from '../src/core/operation.ts';
import { SLOT_COUNT } from '../src/core/limits.ts';
import { slotOf } from '../src/core/placement/slots.ts';
import { compareUtf8 } from '../src/base/utf8-order.ts';
import type { SimNode } from './cluster.ts';
import { SmallWorld } from './small-world.ts';

function page(world: SmallWorld, sim: SimNode, after: string | null, limit: number): ScanResult {
  let result: ScanResult | null = null;
  sim.node!.scan(after, limit, 5_000, (told) => (result = told));
  world.until(() => result !== null, 10_000);
  return result!;
}

interface Listed {
  readonly keys: string[];
  readonly values: Map<string, string>;
  incomplete: boolean;
}

function list(
  world: SmallWorld,
  sim: SimNode,
  limit: number,
  between: (pages: number) => void = () => undefined,
) {
  const listed: Listed = { keys: [], values: new Map(), incomplete: false };
  let after: string | null = null;
  for (let pages = 1; ; pages += 1) {
    const result: ScanResult = page(world, sim, after, limit);
    if (result.kind === 'failed') throw new Error(result.failure.message);
    for (const record of result.records) {
      listed.keys.push(record.key);
      listed.values.set(record.key, Buffer.from(record.value).toString());
    }
    listed.incomplete ||= result.incomplete;
    after = result.next;
    if (after === null) return listed;
    expect(pages).toBeLessThan(2 * SLOT_COUNT);
    between(pages);
  }
}

function fill(world: SmallWorld, count: number): string[] {
  const keys = Array.from({ length: count }, (_, index) => `key:${index}${index % 5 === 0 ? '😀é' : ''}`);
  for (const [index, key] of keys.entries()) world.put(world.nodes[index % 3]!, key, `v${index}`);
  return keys.sort((a, b) => slotOf(a) - slotOf(b) || compareUtf8(a, b));
}

describe('a scan of the cluster', () => {
  it('pages of every size, at every node: each live record once, in the order of slot and key', () => {
    const world = new SmallWorld(11);
    const keys = fill(world, 60);
    world.write(world.nodes[0]!, { kind: 'delete', key: keys[7]!, operationId: null });
    world.put(world.nodes[1]!, 'short', 'x', 100);
    world.run(200);
    const expected = keys.filter((key) => key !== keys[7]);
    for (const [index, limit] of [1, 7, 500].entries()) {
      expect(list(world, world.nodes[index]!, limit).keys).toEqual(expected);
    }
  });

  it('a node that owns nothing: it hands on what is asked to those who do, and to another when one is killed', () => {
    const world = new SmallWorld(12, { nodeCount: 4 });
    const keys = fill(world, 40);
    const asked = world.nodes[3]!;
    const seen = list(world, asked, 5, (pages) => {
      if (pages === 3) world.cluster.kill(world.nodes[0]!);
    });
    expect(seen.keys).toEqual(keys);
  });

  it('a key in flight at its owner: the page waits for it, and tells what became valid', () => {
    const world = new SmallWorld(13);
    const keys = fill(world, 5);
    const key = keys[2]!;
    let told = false;
    world.cluster.pause(world.nodes[2]!, 300);
    const put = { kind: 'put', key, value: Buffer.from('new'), ttlMs: 0, operationId: null } as const;
    world.nodes[0]!.node!.write(put, 5_000, () => (told = true));
    world.run(50);
    expect([told, world.nodes[1]!.node!.inspect(key).valid]).toEqual([false, false]);
    const seen = list(world, world.nodes[1]!, 500);
    expect(seen.values.get(key)).toBe('new');
    expect(seen.keys).toEqual(keys);
  });

  it('a place that is none: refused', () => {
    const world = new SmallWorld(14);
    for (const after of ['', 'zzzz', '4000', '00', 'ffffkey'])
      expect(page(world, world.nodes[0]!, after, 10)).toMatchObject({
        failure: { code: 'invalid_argument' },
      });
  });
});
