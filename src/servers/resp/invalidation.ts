/** A message that tells clients to drop their copies of some keys: encoded once, however many clients receive it. */
import { INVALIDATIONS } from './channels.ts';
import { ReplyWriter } from './reply-writer.ts';
import type { Protocol } from './reply-writer.ts';

export class Invalidation {
  /** Null: all keys. */
  readonly keys: readonly string[] | null;
  private push: Buffer | null = null;
  private message: Buffer | null = null;

  constructor(keys: readonly string[] | null) {
    this.keys = keys;
  }

  /** The same bytes for each client; nobody may change them. */
  bytes(protocol: Protocol): Buffer {
    if (protocol === 3) return (this.push ??= encoded(this.keys, 3));
    return (this.message ??= encoded(this.keys, 2));
  }
}

export const EVERYTHING = new Invalidation(null);

function encoded(keys: readonly string[] | null, protocol: Protocol): Buffer {
  const out = new ReplyWriter(protocol);
  if (protocol === 3) {
    out.push(2);
    out.bulkText('invalidate');
  } else {
    out.array(3);
    out.bulkText('message');
    out.bulkText(INVALIDATIONS);
  }
  if (keys === null) out.nil();
  else {
    out.array(keys.length);
    for (const key of keys) out.bulkText(key);
  }
  return Buffer.concat(out.taken());
}
