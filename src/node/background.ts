/**
 * What a node does unasked, beside its requests: each part meets them only through the store, or by asking as a
 * client would.
 */
import { Expiry } from './expiry.ts';
import type { NodeParts } from './node-parts.ts';
import { PeerClocks } from './peer-clocks.ts';
import type { Serving } from './serving.ts';

export class Background {
  readonly peerClocks = new PeerClocks();
  private readonly expiry: Expiry;

  constructor(parts: NodeParts, serving: Serving) {
    const { clock, storage, telemetry } = parts;
    this.expiry = new Expiry({ clock, storage, telemetry, serving, peerClocks: this.peerClocks });
  }

  /** Every few ticks, while this process is part of the epoch. */
  tick(): void {
    this.expiry.tick();
  }
}
