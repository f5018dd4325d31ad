/**
 * The order of replies on one connection. Commands are begun as they come and may be answered later; their replies go
 * out in the order of the commands all the same: what is ready behind an unanswered one waits for it here. What waits is
 * bounded: a value that was read and finds no room is given up, and read anew when its turn comes.
 */
import {
  RESP_OUTPUT_BYTES_PAUSE,
  RESP_REPLY_BYTES_MAX,
  RESP_TELLING_MAX,
  RESP_WAITING_BYTES_MAX,
} from '../../core/redis-limits.ts';
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
  /** Meanwhile, where what is told all the same belongs; null: in `out`. */
  aloud: ReplyWriter | null = null;
  /** Commands that wait for room. */
  parked = 0;
  /** Writes under way that tell a value. */
  telling = 0;
  /** Bytes of values that commands under way have read so far. */
  gathered = 0;
  /** Bytes of about the largest reply of late. */
  largest = 0;
  private readonly onAnswer: () => void;
  private readonly untaken: () => number;
  private head: Pending | null = null;
  private tail: Pending | null = null;
  /** Bytes of replies that wait, but for those in `out` and `ready`. */
  private waitingBytes = 0;

  /** `onAnswer`: something may go out, or begin. `untaken`: bytes that went out and were not taken yet. */
  constructor(onAnswer: () => void, untaken: () => number = () => 0) {
    this.onAnswer = onAnswer;
    this.untaken = untaken;
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

  /** Of all that is not taken yet, with what commands under way have read. */
  get outputBytes(): number {
    return this.untaken() + this.heldBytes + this.gathered;
  }

  /** As many replies as these, as large as those of late, are as many bytes as may wait. */
  get isFull(): boolean {
    return this.parked > 0 || this.unanswered * this.largest >= RESP_WAITING_BYTES_MAX;
  }

  /** The last command begun, where it is not answered; null: all are. */
  get last(): Pending | null {
    return this.tail;
  }

  isFirst(pending: Pending): boolean {
    return pending === this.head;
  }

  /** May this command's value be kept, which counts as gathered already? What is first goes out next. */
  hasRoom(pending: Pending): boolean {
    if (pending !== this.head) return this.outputBytes <= RESP_WAITING_BYTES_MAX;
    return this.untaken() + this.ready.byteCount < RESP_OUTPUT_BYTES_PAUSE;
  }

  /** It has nothing, and is to begin, or to begin anew, when there is room. */
  park(pending: Pending, resume: () => void): void {
    pending.resume = resume;
    this.parked += 1;
  }

  /** After what was ready has gone out. */
  resumeParked(): void {
    let left = Math.max(1, Math.min(RESP_TELLING_MAX, Math.floor(RESP_REPLY_BYTES_MAX / (this.largest + 1))));
    for (let each = this.head; each !== null && this.parked > 0 && left > 0; each = each.next) {
      left -= 1;
      const { resume } = each;
      if (resume === null) continue;
      const bytes = each === this.head ? this.untaken() + this.ready.byteCount : this.outputBytes;
      if (bytes >= RESP_OUTPUT_BYTES_PAUSE) return;
      each.resume = null;
      this.parked -= 1;
      resume();
    }
  }

  /** It falls slowly. */
  saw(bytes: number): void {
    const { largest } = this;
    this.largest = bytes >= largest ? bytes : largest - ((largest - bytes) >> 4) - 1;
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
      const before = this.ready.byteCount;
      write(this.ready);
      pending.onReply?.(this.ready, before);
      this.saw(this.ready.byteCount - before);
      this.advance();
    } else {
      pending.reply = new ReplyWriter(pending.protocol);
      write(pending.reply);
      pending.onReply?.(pending.reply, 0);
      this.saw(pending.reply.byteCount);
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
  /** It waits for room. */
  resume: (() => void) | null = null;
  /** Called when it is answered, before its reply is written. */
  release: (() => void) | null = null;
  /** Called when its reply is written, behind so many bytes; null: nobody looks at it. */
  onReply: ((out: ReplyWriter, from: number) => void) | null = null;
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
