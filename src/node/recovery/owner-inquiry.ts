/**
 * Asks all other complete owners of a slot what they hold of single keys. Where what this disk has or lacks contradicts
 * PostgreSQL, their answers tell which of the two has lost something. (PROTOCOL R10, R23, R24)
 */
import { SCRUB_FETCHES_MAX } from '../../core/limits.ts';
import type { HeldRecord, PeerMessage } from '../../core/message.ts';
import type { Replica } from '../../core/replication/replica.ts';
import type { SlotView } from '../../core/replication/slot-view.ts';
import type { Clock } from '../../ports/clock.ts';

/** Milliseconds without an answer after which an owner is asked again, and how often it is asked at all. */
const ANSWER_TIMEOUT_MS = 1_000;
const ASKS_MAX = 4;

export interface OwnersWord {
  /** The highest version that another owner holds; null if none that has answered holds anything. */
  readonly held: HeldRecord | null;
  /** Some other owner holds nothing. */
  readonly isAbsentAt: boolean;
  /** All other owners have answered. */
  readonly isWhole: boolean;
}

type OnWord = (word: OwnersWord) => void;

interface Question {
  readonly key: string;
  readonly view: SlotView;
  readonly awaiting: Set<number>;
  readonly onWords: OnWord[];
  held: HeldRecord | null;
  isAbsentAt: boolean;
  asksLeft: number;
  dueAt: number;
}

export interface OwnerInquiryParts {
  readonly clock: Clock;
  readonly replica: () => Replica | null;
  readonly send: (memberId: number, message: PeerMessage) => void;
}

export class OwnerInquiry {
  private readonly parts: OwnerInquiryParts;
  private readonly open = new Map<string, Question>();

  constructor(parts: OwnerInquiryParts) {
    this.parts = parts;
  }

  /** Asks about a few keys at a time. Answers in later turns, but not once another epoch has begun. */
  ask(
    slot: number,
    keys: readonly string[],
    onWord: (key: string, word: OwnersWord) => void,
    done: () => void,
  ): void {
    let next = 0;
    let left = keys.length;
    const askNext = (): void => {
      const key = keys[next];
      if (key === undefined) return;
      next += 1;
      this.askOne(slot, key, (word) => {
        onWord(key, word);
        left -= 1;
        if (left === 0) done();
        else askNext();
      });
    };
    if (keys.length === 0) return this.parts.clock.defer(done);
    for (let index = 0; index < SCRUB_FETCHES_MAX; index += 1) askNext();
  }

  /** Every few ticks. */
  tick(): void {
    const now = this.parts.clock.now();
    for (const question of [...this.open.values()]) if (question.dueAt <= now) this.send(question);
  }

  onRecord(from: number, held: HeldRecord): void {
    const { key, version } = held.sealed.record;
    const question = this.open.get(key);
    if (question?.awaiting.has(from) !== true) return;
    if (version > (question.held?.sealed.record.version ?? 0)) question.held = held;
    this.answered(from, question);
  }

  onAbsent(from: number, key: string): void {
    const question = this.open.get(key);
    if (question?.awaiting.has(from) !== true) return;
    question.isAbsentAt = true;
    this.answered(from, question);
  }

  private askOne(slot: number, key: string, onWord: OnWord): void {
    const view = this.parts.replica()?.view;
    if (view === undefined) return;
    const before = this.open.get(key);
    if (before?.view === view) return void before.onWords.push(onWord);
    const awaiting = new Set(view.row(slot).owners.filter((id) => id !== view.selfId));
    const question: Question = {
      ...{ key, view, awaiting, onWords: [onWord], held: null },
      ...{ isAbsentAt: false, asksLeft: ASKS_MAX, dueAt: Infinity },
    };
    this.open.set(key, question);
    if (awaiting.size === 0) this.parts.clock.defer(() => this.end(question));
    else this.send(question);
  }

  private send(question: Question): void {
    if (question.asksLeft === 0 || question.view !== this.parts.replica()?.view) return this.end(question);
    question.asksLeft -= 1;
    question.dueAt = this.parts.clock.now() + ANSWER_TIMEOUT_MS;
    for (const id of question.awaiting) this.parts.send(id, { kind: 'repairPull', key: question.key });
  }

  private answered(from: number, question: Question): void {
    question.awaiting.delete(from);
    if (question.awaiting.size === 0) this.end(question);
  }

  private end(question: Question): void {
    const { key, view, held, isAbsentAt, awaiting, onWords } = question;
    if (this.open.get(key) !== question) return;
    this.open.delete(key);
    if (view !== this.parts.replica()?.view) return;
    for (const onWord of onWords) onWord({ held, isAbsentAt, isWhole: awaiting.size === 0 });
  }
}
