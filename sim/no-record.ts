/** A member of a world without PostgreSQL, which reports nothing about it. */
import { OutageWatch } from '../src/node/membership/outage-watch.ts';

export const NO_RECORD = new OutageWatch({
  ...{ name: '', record: null, maySpool: false, isFull: () => false },
  telemetry: { event: () => undefined, count: () => undefined },
});
