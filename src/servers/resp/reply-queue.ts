/**
 * The order of replies on one connection. Commands are begun as they come and may be answered later; their replies go
 * out in the order of the commands all the same: what is ready behind an unanswered one waits for it here.
 */
import { ReplyWriter } from './reply-writer.ts';
import type { Protocol } from './reply-writer.ts';

export class ReplyQueue {
  /** What may go out now. */
  readonly ready: ReplyWriter;
  /** Where the next reply belongs: behind everything before it. */
  out: ReplyWriter;
  unanswered = 0;
  /** The last command begun must be answered before another one begins. */
  isBarred = false;
  /** Nothing is said: replies are written, and thrown away. */
  isMute = false;
  private readonly onAnswer: () => void;
  private head: Pending | null = null;
  private tail: Pending | null = null;
  /** Bytes of replies that wait, but for those in `out` and `ready`. */
  private waitingBytes = 0;

  /** `onAnswer`: something may go out, or begin. */
  constructor(onAnswer: () => void) {
    this.onAnswer = onAnswer;
    this.ready = new ReplyWriter(2);
    this.out = this.ready;
  }

  get protocol(): Protocol {
    return this.out.protocol;
  }

  /** For replies from the next one on. */
  set protocol(protocol: Protocol) {
    this.out.protocol = protocol;
  }

  get heldBytes(): number {
    return this.waitingBytes + this.out.byteCount + (this.out === this.ready ? 0 : this.ready.byteCount);
  }

  /** A reply that comes later has its place from now on. */
  begin(): Pending {
    const pending = new Pending(this, this.out.protocol, this.isMute);
    if (this.tail === null) this.head = pending;
    else {
      this.tail.next = pending;
      this.waitingBytes += this.tail.after.byteCount;
    }
    this.tail = pending;
    this.out = pending.after;
    this.unanswered += 1;
    return pending;
  }

  /** Runs it once all that was begun so far is answered, and the replies are on their way before what it says. */
  afterReplies(run: () => void): void {
    if (this.tail === null) run();
    else this.tail.afterwards = [...(this.tail.afterwards ?? []), run];
  }

  /** Only by `Pending.end`. */
  ended(pending: Pending, write: (out: ReplyWriter) => void): void {
    if (pending === this.head && !pending.isMute) {
      this.ready.protocol = pending.protocol;
      write(this.ready);
      this.advance();
    } else {
      pending.reply = new ReplyWriter(pending.protocol);
      write(pending.reply);
      if (pending.isMute) pending.reply.forget();
      this.waitingBytes += pending.reply.byteCount;
      if (pending === this.head) this.advance();
    }
    this.onAnswer();
  }

  private advance(): void {
    for (let pending = this.head; pending !== null && pending.isEnded; pending = this.head) {
      if (pending.reply !== null) {
        this.waitingBytes -= pending.reply.byteCount;
        this.ready.append(pending.reply);
      }
      const { next, after } = pending;
      if (next !== null) this.waitingBytes -= after.byteCount;
      this.ready.append(after);
      this.ready.protocol = after.protocol;
      this.head = next;
      this.unanswered -= 1;
      if (next === null) {
        this.tail = null;
        this.out = this.ready;
        this.isBarred = false;
      }
      for (const run of pending.afterwards ?? []) run();
    }
  }
}

/** A command that was begun and is not answered yet. */
export class Pending {
  readonly protocol: Protocol;
  readonly isMute: boolean;
  /** What belongs behind its reply. */
  readonly after: ReplyWriter;
  reply: ReplyWriter | null = null;
  next: Pending | null = null;
  isEnded = false;
  /** Called when it is answered, before its reply is written. */
  release: (() => void) | null = null;
  /** What is done when it and everything before it is answered; null: nothing. */
  afterwards: readonly (() => void)[] | null = null;
  private readonly queue: ReplyQueue;

  constructor(queue: ReplyQueue, protocol: Protocol, isMute: boolean) {
    this.queue = queue;
    this.protocol = protocol;
    this.isMute = isMute;
    this.after = new ReplyWriter(protocol);
  }

  /** Exactly once. `write` is called within the call. */
  end(write: (out: ReplyWriter) => void): void {
    this.isEnded = true;
    this.release?.();
    this.queue.ended(this, write);
  }
}
