/**
 * Keys that are written before the faults begin, so that there is something to copy, and looked up afterwards at every
 * node.
 */
import { KeySpace } from '../key-space.ts';
import type { World } from '../world.ts';
import type { RunLine } from './run-lines.ts';
import type { Scenario } from './scenario.ts';
import { untilStopped } from './scene.ts';

export class Bulk {
  private readonly keys: KeySpace;

  /** Null if the scenario has none. */
  static async write(
    world: World,
    { bulkKeys, bulkValueBytes }: Scenario['load'],
    stopped: AbortSignal,
    tell: (line: string) => void,
  ): Promise<Bulk | null> {
    if (bulkKeys === 0) return null;
    const keys = new KeySpace(`bulk:${Date.now()}:`, bulkKeys);
    const value = Buffer.alloc(bulkValueBytes, 'bulk ');
    const addresses = world.nodes.map(({ address }) => address);
    await untilStopped(
      keys.fill(
        addresses,
        () => value,
        (done) => tell(`${done} of ${bulkKeys} keys written`),
      ),
      stopped,
    );
    return new Bulk(keys);
  }

  private constructor(keys: KeySpace) {
    this.keys = keys;
  }

  async lookUp(world: World, tell: (line: string) => void, write: (line: RunLine) => void): Promise<void> {
    for (const { name, address } of world.nodes) {
      const { count } = this.keys;
      const missing = await this.keys.missingAt(address, (done) =>
        tell(`${done} of ${count} keys read at ${name}`),
      );
      write({ is: 'bulk', node: name, keys: count, missing });
    }
  }
}
