/**
 * The keys of WATCH with the versions that were read (0 for an absent key), and the bytes that keeping them takes.
 */
import { RESP_ARGUMENT_BYTES } from '../../core/clients/redis-limits.ts';

export class WatchedKeys extends Map<string, number> {
  byteCount = 0;

  override set(key: string, version: number): this {
    if (!this.has(key)) this.byteCount += key.length + RESP_ARGUMENT_BYTES;
    return super.set(key, version);
  }

  override clear(): void {
    this.byteCount = 0;
    super.clear();
  }
}
