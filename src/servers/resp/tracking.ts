/**
 * Client-side caching as in Redis: which client keeps copies of which keys, and the messages that invalidate them. A
 * message is sent at once or, if commands of the client are under way that may have read the key before the change,
 * after their replies, because a client goes by what arrives last. (decision 23)
 */
import type { WatchListener } from '../../core/clients/key-watch.ts';
import type { WriteResult } from '../../core/operation.ts';
import { OwnWrites } from '../../core/clients/own-writes.ts';
import {
  RESP_ARGUMENT_BYTES,
  RESP_OUTPUT_BYTES_MAX,
  RESP_OUTPUT_BYTES_SHARE,
  RESP_OWN_KEYS_MAX,
  RESP_TRACKED_KEYS_MAX,
  RESP_TRACKED_PAIRS_MAX,
  RESP_UNANSWERED_MAX,
} from '../../core/clients/redis-limits.ts';
import { TrackingTable } from '../../core/clients/tracking-table.ts';
import type { Arguments } from './arguments.ts';
import { Broadcast, audienceOf, bytesOf } from './broadcast.ts';
import type { Client } from './client.ts';
import { keyPlaces } from './command.ts';
import type { Command } from './command.ts';
import type { Door } from './door.ts';
import { EVERYTHING, Invalidation } from './invalidation.ts';
import type { ReplyWriter } from './reply-writer.ts';

export interface TrackingOptions {
  /** Id of the client that receives the messages; 0 if there is none. */
  readonly redirect: number;
  readonly isBroadcast: boolean;
  readonly isOptIn: boolean;
  readonly isOptOut: boolean;
  readonly noLoop: boolean;
}

/** A NOLOOP client's own writes of one key that are under way; it must not be told about them. */
interface OwnWrite {
  count: number;
  isDone: boolean;
  isHeldBack: boolean;
}

/** The state of one client that keeps copies. */
export class Tracking {
  options: TrackingOptions;
  /** The client that should receive the messages is gone, and that was noticed. */
  isBroken = false;
  /** CLIENT CACHING was called: the next command or transaction is an exception to the mode. */
  isCachingGiven = false;
  /** Prefixes in broadcast mode, as bytes, one per character. */
  readonly prefixes = new Set<string>();
  prefixBytes = 0;
  /** Stands for the prefixes. */
  audience = '';
  readonly ownWrites = new Map<string, OwnWrite>();
  /** The client's own writes in broadcast mode. */
  readonly ownVersions = new OwnWrites(RESP_OWN_KEYS_MAX);

  constructor(options: TrackingOptions) {
    this.options = options;
  }

  get keepsWhatItReads(): boolean {
    const { isBroadcast, isOptIn, isOptOut } = this.options;
    return !isBroadcast && !(isOptIn && !this.isCachingGiven) && !(isOptOut && this.isCachingGiven);
  }

  /** Keys whose invalidation was held back while a write of the client's own is not answered. */
  takeHeld(): readonly string[] {
    const keys = [...this.ownVersions.takeHeld()];
    for (const [key, own] of this.ownWrites) {
      if (own.isHeldBack) keys.push(key);
      own.isHeldBack = false;
    }
    return keys;
  }

  /** `name`: the bytes of a key, one per character. */
  listensTo(name: string): boolean {
    for (const prefix of this.prefixes) if (name.startsWith(prefix)) return true;
    return false;
  }
}

/**
 * soon: with what else this turn brings. apart: within the call, by itself if possible. overdue: soon, and again after
 * the replies that it has to follow.
 */
type Sending = 'soon' | 'apart' | 'overdue';

export class TrackingDesk implements WatchListener {
  readonly table = new TrackingTable();
  keysMax = RESP_TRACKED_KEYS_MAX;
  pairsMax = RESP_TRACKED_PAIRS_MAX;
  private readonly door: Door;
  /** All clients with tracking on, and those in broadcast mode. */
  private readonly clients = new Set<Client>();
  private readonly listeners = new Set<Client>();
  readonly broadcast: Broadcast;
  private isTrimming = false;
  /**
   * Keys (null: all) whose invalidation was sent together with replies; it is repeated at the next tick or the one
   * after.
   */
  private soon = new Map<Client, Set<string> | null>();
  private later = new Map<Client, Set<string> | null>();

  constructor(door: Door) {
    this.door = door;
    this.broadcast = new Broadcast(this.listeners, door.turns, (client, message) =>
      this.tell(client, message, 'apart'),
    );
    door.api.keyWatch.listen(this);
  }

  get clientCount(): number {
    return this.clients.size;
  }

  get prefixCount(): number {
    const prefixes = new Set<string>();
    for (const { tracking } of this.listeners) for (const prefix of tracking!.prefixes) prefixes.add(prefix);
    return prefixes.size;
  }

  /** If tracking was on already, the prefixes are added to the earlier ones. */
  turnOn(client: Client, options: TrackingOptions, prefixes: readonly string[]): void {
    const tracking = client.tracking ?? new Tracking(options);
    client.tracking = tracking;
    tracking.options = options;
    tracking.isBroken = false;
    this.clients.add(client);
    if (!options.isBroadcast) return;
    for (const prefix of prefixes.length === 0 ? [''] : prefixes) {
      if (tracking.prefixes.has(prefix)) continue;
      tracking.prefixes.add(prefix);
      tracking.prefixBytes += prefix.length + RESP_ARGUMENT_BYTES;
    }
    tracking.audience = audienceOf(tracking.prefixes);
    this.listeners.add(client);
    if (this.listeners.size === 1) this.door.api.keyWatch.watchAll(true);
  }

  turnOff(client: Client): void {
    if (client.tracking === null) return;
    client.tracking = null;
    this.soon.delete(client);
    this.later.delete(client);
    this.clients.delete(client);
    if (this.listeners.delete(client) && this.listeners.size === 0) this.door.api.keyWatch.watchAll(false);
  }

  /** To be called before a command that reads begins. */
  remember(client: Client, command: Command, args: Arguments): void {
    if (client.tracking?.keepsWhatItReads !== true || !command.flags.includes('readonly')) return;
    const { keyWatch } = this.door.api;
    for (const at of keyPlaces(command, args.count)) {
      const key = args.key(at);
      if (key === undefined) continue;
      this.table.add(key, client.id);
      keyWatch.watch(key);
    }
    if (this.isTableOver()) this.trim();
  }

  changed(key: string): void {
    const message = new Invalidation([key]);
    for (const id of this.table.take(key)) {
      const client = this.door.clients.get(id);
      const tracking = client?.tracking ?? null;
      if (client === undefined || tracking === null || tracking.options.isBroadcast) continue;
      const own = tracking.ownWrites.get(key);
      if (own === undefined) this.tell(client, message);
      else own.isHeldBack = true;
    }
  }

  allChanged(): void {
    for (const id of this.table.takeAll()) {
      const client = this.door.clients.get(id);
      if (client?.tracking?.options.isBroadcast === false) this.tell(client, EVERYTHING);
    }
  }

  settled(key: string, version: number): void {
    this.broadcast.changed(key, version);
  }

  unsure(): void {
    this.broadcast.allChanged();
  }

  /**
   * Called once a second. Invalidations held back for a client's own write wait no longer, and repetitions that are due
   * are sent.
   */
  tellHeld(): void {
    this.tellAgain();
    for (const client of this.clients) {
      const keys = client.tracking!.takeHeld();
      if (keys.length > 0) this.tell(client, new Invalidation(keys), 'overdue');
    }
  }

  private tellAgain(): void {
    const due = this.soon;
    this.soon = this.later;
    this.later = new Map<Client, Set<string> | null>();
    for (const [client, keys] of due) {
      const { redirect } = client.tracking!.options;
      const target = redirect === 0 ? client : this.door.clients.get(redirect);
      if (target !== undefined && (redirect !== 0 || client.queue.protocol === 3))
        this.say(target, target.queue.ready, keys === null ? EVERYTHING : new Invalidation([...keys]));
    }
  }

  private keepForLater(client: Client, keys: readonly string[] | null): void {
    if (client.tracking === null) return;
    const known = this.later.get(client);
    if (known === null) return;
    const all = known ?? new Set<string>();
    for (const key of keys ?? []) all.add(key);
    this.later.set(client, keys === null || all.size > RESP_UNANSWERED_MAX ? null : all);
  }

  /** All keys are about to be deleted. */
  flush(): void {
    this.table.takeAll();
    for (const client of this.clients) this.tell(client, EVERYTHING);
  }

  /** For a NOLOOP client: whether a change was its own is known only when the write is answered. */
  ownWrite(client: Client, key: string, done: (result: WriteResult) => void): (result: WriteResult) => void {
    const { tracking } = client;
    if (tracking === null || !tracking.options.noLoop) return done;
    if (tracking.options.isBroadcast) return this.ownVersion(client, tracking, key, done);
    const own = tracking.ownWrites.get(key) ?? { count: 0, isDone: false, isHeldBack: false };
    own.count += 1;
    tracking.ownWrites.set(key, own);
    return (result) => {
      own.count -= 1;
      own.isDone ||= result.kind === 'done' || result.kind === 'modified';
      if (own.count === 0) {
        tracking.ownWrites.delete(key);
        if (own.isHeldBack && !own.isDone && client.tracking === tracking)
          this.tell(client, new Invalidation([key]));
      }
      done(result);
    };
  }

  /** The same in broadcast mode: the client is told of versions that are not its own. */
  private ownVersion(
    client: Client,
    tracking: Tracking,
    key: string,
    done: (result: WriteResult) => void,
  ): (result: WriteResult) => void {
    if (!tracking.listensTo(bytesOf(key))) return done;
    tracking.ownVersions.begin(key);
    return (result) => {
      const isNews = tracking.ownVersions.end(key, result);
      if (isNews && client.tracking === tracking) this.tell(client, new Invalidation([key]));
      done(result);
    };
  }

  private isTableOver(): boolean {
    return this.table.keyCount > this.keysMax || this.table.itemCount > this.pairsMax;
  }

  /** Beyond the limit, the keys tracked for the longest time are dropped, and their clients get an invalidation. */
  private trim(): void {
    if (this.isTrimming) return;
    this.isTrimming = true;
    this.door.atTurnsEnd(() => {
      this.isTrimming = false;
      while (this.isTableOver()) {
        const oldest = this.table.oldest()!;
        this.door.api.keyWatch.unwatch(oldest);
        this.changed(oldest);
      }
    });
  }

  private tell(source: Client, message: Invalidation, sending: Sending = 'soon'): void {
    const { tracking, queue } = source;
    const { keys } = message;
    const redirect = tracking!.options.redirect;
    const mustFollow = queue.unanswered > 0 && mayBeReading(source, keys);
    const isDueNow = sending === 'overdue' || !mustFollow;
    const awaited = mustFollow && keys === null ? keysAwaited(source) : [];
    if (mustFollow && (keys !== null || awaited.length > 0))
      queue.afterReplies(() => this.keepForLater(source, keys));
    const follow = (target: Client, out: ReplyWriter): void => {
      if (awaited.length > 0) this.say(target, out, new Invalidation(awaited));
      this.say(target, out, message);
    };
    if (redirect === 0) {
      if (queue.protocol !== 3) return;
      if (isDueNow) this.say(source, sending === 'apart' ? null : queue.ready, message);
      if (mustFollow) follow(source, queue.out);
      return;
    }
    const target = this.door.clients.get(redirect);
    if (target === undefined) return this.tellBroken(source, redirect);
    if (isDueNow) this.say(target, sending === 'apart' ? null : target.queue.ready, message);
    if (mustFollow) queue.afterReplies(() => follow(target, target.queue.ready));
  }

  private tellBroken({ tracking, queue, line }: Client, redirect: number): void {
    tracking!.isBroken = true;
    if (queue.protocol === 2) return;
    queue.out.push(2);
    queue.out.bulkText('tracking-redir-broken');
    queue.out.integer(redirect);
    line.wake();
  }

  /** `out` null: it is sent within the call, if nothing stands before it. */
  private say({ channels, queue, line }: Client, out: ReplyWriter | null, message: Invalidation): void {
    const { protocol } = out ?? queue.ready;
    // In RESP2 the message needs a channel; without a subscription nobody listens.
    if (protocol === 2 && channels.size === 0) return;
    // Messages cannot wait for their reader: when all room is in use, a client that holds much of it gets no more. Not
    // counted is this message, of which the system may not have taken all yet.
    const bytesMax = this.door.isOutputFull() ? RESP_OUTPUT_BYTES_SHARE : RESP_OUTPUT_BYTES_MAX;
    if (line.untakenBytes() + queue.heldBytes > bytesMax) return line.cut();
    const bytes = message.bytes(protocol);
    if (out === null) return line.push(bytes);
    out.raw(bytes);
    line.wake();
  }
}

/**
 * The keys whose answers the client still waits for. When told that everything has changed, a client drops its copies,
 * but may keep such an answer all the same if both arrive in one piece. node-redis drops it only if its key is named
 * and, after an error on its connection, only if told once more later.
 */
function keysAwaited({ inFlight }: Client): readonly string[] {
  const keys: string[] = [];
  for (const key of inFlight.keys()) if (keys.push(key) >= RESP_UNANSWERED_MAX) break;
  return keys;
}

/** Whether a command is under way whose reply may contain the earlier value of one of these keys. */
function mayBeReading({ queue, inFlight }: Client, keys: readonly string[] | null): boolean {
  return queue.isBarred || keys === null || keys.some((key) => inFlight.isTaken(key, true));
}
