/**
 * The events of a simulation by time, and at equal times in the order in which they were added. Most events are due at
 * the very moment at which they are added (a turn of an event loop, say); these go into a list beside the heap, where
 * they are in order already. Cancelled events are removed once they are the majority: the timeouts of a thousand
 * clients that were answered long ago would make the heap deep.
 */
import { Fifo } from './fifo.ts';
import type { Life } from './scheduler.ts';

export interface SimEvent {
  at: number;
  sequence: number;
  readonly run: () => void;
  /** The life that this event belongs to; the event is dropped once that has ended. */
  readonly owner: Life | null;
  cancelled: boolean;
}

const SWEPT_MIN = 128;

export class EventQueue {
  private heap: SimEvent[] = [];
  /** Events that were due at the moment at which they were added. */
  private readonly due = new Fifo<SimEvent>();
  private cancelledCount = 0;
  private sequence = 0;

  /** `now` must never decrease from one call to the next. */
  add(at: number, now: number, run: () => void, owner: Life | null): SimEvent {
    const event: SimEvent = { at, sequence: this.sequence++, run, owner, cancelled: false };
    if (at <= now) {
      event.at = now;
      this.due.push(event);
    } else this.push(event);
    return event;
  }

  /** Adds a taken event again at a later time, after everything that is already due at that time. */
  postpone(event: SimEvent, at: number): void {
    event.at = at;
    event.sequence = this.sequence++;
    this.push(event);
  }

  cancel(event: SimEvent): void {
    if (event.cancelled) return;
    event.cancelled = true;
    this.cancelledCount += 1;
    if (this.cancelledCount > SWEPT_MIN && this.cancelledCount * 2 > this.heap.length) this.sweep();
  }

  /** Takes the next event; undefined if there is none at or before `until`. */
  next(until: number): SimEvent | undefined {
    const first = this.heap[0];
    const event = this.due.first();
    if (event !== undefined) {
      const isFirst =
        first === undefined ||
        event.at < first.at ||
        (event.at === first.at && event.sequence < first.sequence);
      if (isFirst) return event.at > until ? undefined : this.due.shift();
    }
    if (first === undefined || first.at > until) return undefined;
    this.pop();
    return first;
  }

  private sweep(): void {
    const { heap } = this;
    this.heap = [];
    for (const event of heap) if (!event.cancelled) this.push(event);
    this.cancelledCount = 0;
  }

  private push(event: SimEvent): void {
    const { heap } = this;
    const { at, sequence } = event;
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent]!;
      if (at > above.at || (at === above.at && sequence > above.sequence)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = event;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop()!;
    const count = heap.length;
    if (count === 0) return;
    const { at, sequence } = last;
    let index = 0;
    for (let child = 1; child < count; child = index * 2 + 1) {
      let below = heap[child]!;
      if (child + 1 < count) {
        const other = heap[child + 1]!;
        if (other.at < below.at || (other.at === below.at && other.sequence < below.sequence)) {
          below = other;
          child += 1;
        }
      }
      if (at < below.at || (at === below.at && sequence < below.sequence)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
  }
}
