/**
 * Checks now and then whether a process that has never been a member is refused by every reachable member, and reports
 * that once.
 */
import type { Clock } from '../ports/clock.ts';
import { PeerRefusals } from '../node/peers/peer-refusals.ts';

const LOOK_EVERY_MS = 500;

export class RefusalWatch extends PeerRefusals {
  private readonly timer: NodeJS.Timeout;

  constructor(clock: Clock, isMember: () => boolean, onRefused: (reason: string) => void) {
    super(() => clock.now());
    this.timer = setInterval(() => {
      const reason = this.whyHopeless();
      if (reason === null || isMember()) return;
      clearInterval(this.timer);
      onRefused(reason);
    }, LOOK_EVERY_MS);
  }

  close(): Promise<void> {
    clearInterval(this.timer);
    return Promise.resolve();
  }
}
