/** The disk of a node in a directed scenario: it completes its writes by itself, or when the scenario says so. */
import { assert } from '../src/base/assert.ts';
import { compareUtf8 } from '../src/base/utf8-order.ts';
import type { Storage } from '../src/ports/storage.ts';
import type { ScenarioLife } from './scenario-node.ts';

export class ScenarioDisk {
  /** Writes wait for `complete`. */
  isHeld = false;
  private readonly platter = new Map<string, Uint8Array>();
  private readonly defer: (run: () => void) => void;
  private pending: { readonly apply: () => void; readonly tell: () => void } | null = null;

  constructor(defer: (run: () => void) => void) {
    this.defer = defer;
  }

  get(stored: string): Uint8Array | undefined {
    return this.platter.get(stored);
  }

  /** The write under way is lost, or has reached the platter although nobody was told. */
  cutOff(writeLands: boolean): void {
    if (writeLands) this.pending?.apply();
    this.pending = null;
  }

  wipe(): void {
    this.platter.clear();
  }

  complete(): void {
    const write = this.pending;
    this.pending = null;
    if (write === null) return;
    write.apply();
    write.tell();
  }

  /** Scans answer synchronously while a process starts, and asynchronously later. */
  open(life: ScenarioLife, isStarting: () => boolean): Storage {
    return {
      get: (key) => this.platter.get(key),
      write: (keys, values, done) => {
        assert(this.pending === null, 'one write in flight per store');
        const write = { apply: () => this.apply(keys, values), tell: () => done(null) };
        this.pending = write;
        this.defer(() => {
          if (life.alive && !this.isHeld && this.pending === write) this.complete();
        });
      },
      scan: (from, to, countMax, _byteCountMax, done) => {
        const entries = [...this.platter.keys()]
          .filter((key) => compareUtf8(key, from) >= 0 && compareUtf8(key, to) < 0)
          .sort(compareUtf8)
          .slice(0, countMax)
          .map((key) => ({ key, value: this.platter.get(key)! }));
        if (isStarting()) done(null, entries);
        else this.defer(() => (life.alive ? done(null, entries) : undefined));
      },
      close: (done) => done(),
    };
  }

  private apply(keys: readonly string[], values: readonly (Uint8Array | null)[]): void {
    keys.forEach((key, index) => {
      const value = values[index]!;
      if (value === null) this.platter.delete(key);
      else this.platter.set(key, Uint8Array.from(value));
    });
  }
}
