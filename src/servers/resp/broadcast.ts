/**
 * Tells clients in broadcast mode which keys have changed, in rounds: each round tells all of them what has changed
 * since the one before, in a single message for each, encoded once for all who listen to the same prefixes. A round
 * goes on over as many turns of the event loop as it takes, a few milliseconds in each, because the node's own messages
 * wait meanwhile. After a round that took long the next one waits, and more goes into its messages.
 */
import { createHash } from 'node:crypto';
import {
  RESP_AUDIENCES_MAX,
  RESP_NEWS_BYTES_MAX,
  RESP_NEWS_KEYS_MAX,
  RESP_PUSH_REST_MS_MAX,
  RESP_PUSH_REST_TIMES,
  RESP_PUSH_TURN_MS,
} from '../../core/clients/redis-limits.ts';
import type { Client } from './client.ts';
import { EVERYTHING, Invalidation } from './invalidation.ts';
import type { Tracking } from './tracking.ts';
import type { Turns } from './turns.ts';

/** A version of a key that has become readable. */
interface News {
  readonly key: string;
  /** The bytes of the key, one per character. */
  readonly name: string;
  /** 0 if the version is not known. */
  readonly version: number;
}

interface Round {
  readonly listeners: Iterator<Client>;
  /** Listeners to visit. Those that turn it on meanwhile need not hear of what was before. */
  left: number;
  readonly messages: Messages;
  workMs: number;
}

export class Broadcast {
  /** Calls `run` after so many milliseconds. */
  later: (ms: number, run: () => void) => void = (ms, run) => void setTimeout(run, ms).unref();
  private readonly listeners: ReadonlySet<Client>;
  private readonly turns: Turns;
  private readonly tell: (client: Client, message: Invalidation) => void;
  /** What the next round tells; null: that everything may have changed. */
  private news: News[] | null = [];
  private newsBytes = 0;
  /** A round is due or under way, or the next one has to wait. */
  private isBusy = false;

  constructor(
    listeners: ReadonlySet<Client>,
    turns: Turns,
    tell: (client: Client, message: Invalidation) => void,
  ) {
    this.listeners = listeners;
    this.turns = turns;
    this.tell = tell;
  }

  changed(key: string, version: number): void {
    if (this.news !== null) {
      this.news.push({ key, name: bytesOf(key), version });
      this.newsBytes += key.length;
      if (this.news.length > RESP_NEWS_KEYS_MAX || this.newsBytes > RESP_NEWS_BYTES_MAX) this.news = null;
    }
    this.beDue();
  }

  allChanged(): void {
    this.news = null;
    this.beDue();
  }

  private beDue(): void {
    if (this.isBusy) return;
    this.isBusy = true;
    this.turns.atEnd(() => {
      const messages = new Messages(this.news);
      this.news = [];
      this.newsBytes = 0;
      const { listeners } = this;
      this.goOn({ listeners: listeners.values(), left: listeners.size, messages, workMs: 0 });
    });
  }

  private goOn(round: Round): void {
    const { turns } = this;
    const beganAt = turns.now();
    let ms = 0;
    while (round.left > 0 && ms < RESP_PUSH_TURN_MS) {
      round.left -= 1;
      const next = round.listeners.next();
      if (next.done === true) round.left = 0;
      else {
        const message = round.messages.of(next.value.tracking!);
        if (message !== null) this.tell(next.value, message);
      }
      ms = turns.now() - beganAt;
    }
    round.workMs += ms;
    if (round.left > 0) return turns.atEnd(() => this.goOn(round));
    const restMs = Math.min(RESP_PUSH_REST_MS_MAX, round.workMs * RESP_PUSH_REST_TIMES);
    if (restMs < 1) this.rested();
    else this.later(restMs, () => this.rested());
  }

  private rested(): void {
    this.isBusy = false;
    if (this.news === null || this.news.length > 0) this.beDue();
  }
}

/** The messages of one round. */
class Messages {
  private readonly news: readonly News[] | null;
  /** By audience. */
  private readonly shared = new Map<string, Invalidation | null>();

  constructor(news: readonly News[] | null) {
    this.news = news;
  }

  /** Null: there is nothing to tell. */
  of(tracking: Tracking): Invalidation | null {
    const { news } = this;
    if (news === null) return EVERYTHING;
    if (tracking.options.noLoop && tracking.ownVersions.keyCount > 0) {
      const { ownVersions } = tracking;
      return messageOf(
        news.filter((each) => tracking.listensTo(each.name) && ownVersions.settled(each.key, each.version)),
      );
    }
    const known = this.shared.get(tracking.audience);
    if (known !== undefined) return known;
    const message = messageOf(news.filter(({ name }) => tracking.listensTo(name)));
    if (this.shared.size >= RESP_AUDIENCES_MAX) this.shared.clear();
    this.shared.set(tracking.audience, message);
    return message;
  }
}

function messageOf(news: readonly News[]): Invalidation | null {
  return news.length === 0 ? null : new Invalidation([...new Set(news.map(({ key }) => key))]);
}

/** The same for all who listen to the same prefixes, given in the same order. */
export function audienceOf(prefixes: Iterable<string>): string {
  const hash = createHash('sha256');
  for (const prefix of prefixes) hash.update(`${prefix.length}:${prefix}`, 'latin1');
  return hash.digest('base64');
}

/** The bytes of a key, one per character. */
export function bytesOf(key: string): string {
  return Buffer.from(key).toString('latin1');
}
