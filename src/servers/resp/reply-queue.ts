/**
 * Keeps the replies of one connection in order. Commands begin as they arrive and may be answered later, but replies go
 * out in the order of the commands: a reply that is ready waits here behind unanswered ones. The waiting bytes are
 * bounded: a value for which there is no room is dropped, and read again when its turn comes.
 */
import {
  RESP_OUTPUT_BYTES_PAUSE,
  RESP_REPLY_BYTES_MAX,
  RESP_TELLING_MAX,
  RESP_WAITING_BYTES_MAX,
} from '../../core/clients/redis-limits.ts';
import { ReplyWriter } from './reply-writer.ts';
import type { Protocol } from './reply-writer.ts';

export class ReplyQueue {
  /** Replies that may be sent now. */
  readonly ready: ReplyWriter;
  /** Where the next reply is written, after everything before it. */
  out: ReplyWriter;
  unanswered = 0;
  /** The last command must be answered before another one begins. */
  isBarred = false;
  /** CLIENT REPLY is off: replies are written and thrown away. */
  isMute = false;
  /** While muted, where the output goes that is sent regardless; null: into `out`. */
  aloud: ReplyWriter | null = null;
  /** Number of commands that wait for room. */
  parked = 0;
  /** Number of writes under way that return a value. */
  telling = 0;
  /** Bytes of the values that commands under way have read so far. */
  gathered = 0;
  /** About the size of the largest recent reply, in bytes. */
  largest = 0;
  private readonly onAnswer: () => void;
  private readonly untaken: () => number;
  private head: Pending | null = null;
  private tail: Pending | null = null;
  /** Bytes of waiting replies, except those in `out` and `ready`. */
  private waitingBytes = 0;

  /**
   * `onAnswer` is called when something may be sent or begun. `untaken` returns the bytes that were sent but not taken
   * yet.
   */
  constructor(onAnswer: () => void, untaken: () => number = () => 0) {
    this.onAnswer = onAnswer;
    this.untaken = untaken;
    this.ready = new ReplyWriter(2);
    this.out = this.ready;
  }

  get protocol(): Protocol {
    return this.out.protocol;
  }

  /** Applies from the next reply on. */
  set protocol(protocol: Protocol) {
    this.out.protocol = protocol;
  }

  get heldBytes(): number {
    return this.waitingBytes + this.out.byteCount + (this.out === this.ready ? 0 : this.ready.byteCount);
  }

  /** All bytes not taken yet, including what commands under way have read. */
  get outputBytes(): number {
    return this.untaken() + this.heldBytes + this.gathered;
  }

  /**
   * Whether the unanswered commands could fill all the room for waiting replies, if each is as large as recent ones.
   */
  get isFull(): boolean {
    return this.parked > 0 || this.unanswered * this.largest >= RESP_WAITING_BYTES_MAX;
  }

  /** The last command that was begun, if it is not answered yet; null if everything is answered. */
  get last(): Pending | null {
    return this.tail;
  }

  isFirst(pending: Pending): boolean {
    return pending === this.head;
  }

  /**
   * Whether this command may keep its value, which `gathered` already includes. The first command's reply goes out
   * next.
   */
  hasRoom(pending: Pending): boolean {
    if (pending !== this.head) return this.outputBytes <= RESP_WAITING_BYTES_MAX;
    return this.untaken() + this.ready.byteCount < RESP_OUTPUT_BYTES_PAUSE;
  }

  /** Lets a command that holds nothing begin, or begin again, when there is room. */
  park(pending: Pending, resume: () => void): void {
    pending.resume = resume;
    this.parked += 1;
  }

  /** To be called after the ready replies have been sent. */
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

  /** `largest` rises at once and falls slowly. */
  saw(bytes: number): void {
    const { largest } = this;
    this.largest = bytes >= largest ? bytes : largest - ((largest - bytes) >> 4) - 1;
  }

  /** Reserves the next place for a reply that comes later. */
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

  /** Calls `run` once everything begun so far is answered, with those replies ahead of what `run` writes. */
  afterReplies(run: () => void): void {
    if (this.tail === null) run();
    else this.tail.afterwards = [...(this.tail.afterwards ?? []), run];
  }

  /** To be called by `Pending.end` only. */
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
  /** Output that follows its reply. */
  readonly after: ReplyWriter;
  reply: ReplyWriter | null = null;
  next: Pending | null = null;
  isEnded = false;
  /** Set while the command waits for room. */
  resume: (() => void) | null = null;
  /** Called when it is answered, before its reply is written. */
  release: (() => void) | null = null;
  /** Called when its reply has been written to `out` from byte `from` on; null if nobody is interested. */
  onReply: ((out: ReplyWriter, from: number) => void) | null = null;
  /** Called when this command and everything before it is answered; null if there is nothing to do. */
  afterwards: readonly (() => void)[] | null = null;
  private readonly queue: ReplyQueue;

  constructor(queue: ReplyQueue, protocol: Protocol, isMute: boolean) {
    this.queue = queue;
    this.protocol = protocol;
    this.isMute = isMute;
    this.after = new ReplyWriter(protocol);
  }

  /** Must be called exactly once. `write` is called before this returns. */
  end(write: (out: ReplyWriter) => void): void {
    this.isEnded = true;
    this.release?.();
    this.queue.ended(this, write);
  }
}
