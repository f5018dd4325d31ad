/** A clean stop: finish what is under way, give up the lease, leave the epoch, then close the disk. (PROTOCOL R18) */
import { DoneOnce } from '../base/done-once.ts';
import type { Clock } from '../ports/clock.ts';
import type { Storage } from '../ports/storage.ts';
import type { Transport } from '../ports/transport.ts';
import type { Admission } from './admission.ts';
import { drain } from './drain.ts';
import type { Membership } from './membership/membership.ts';
import type { StopDesk } from './operators/stop-desk.ts';
import type { StoreWriter } from './store/store-writer.ts';

export interface CleanStopParts {
  readonly clock: Clock;
  readonly transport: Transport;
  readonly storage: Storage;
  readonly admission: Admission;
  readonly membership: Membership;
  readonly stops: StopDesk;
  readonly writer: StoreWriter;
  /** Called when the others go on without this node. */
  readonly onLeft: () => void;
}

export class CleanStop {
  private readonly once = new DoneOnce();

  ask(parts: CleanStopParts, done: () => void): void {
    this.once.ask(done, (ended) => begin(parts, ended));
  }
}

function begin(parts: CleanStopParts, done: () => void): void {
  const { admission, clock, membership, onLeft, stops, storage, transport, writer } = parts;
  stops.announce();
  drain(admission, clock, () =>
    membership.stop(() => {
      onLeft();
      writer.barrier(() =>
        transport.close(() => {
          writer.close();
          storage.close(done);
        }),
      );
    }),
  );
}
