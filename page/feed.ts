/**
 * The connection to the node: server-sent events, reopened for ever. The browser's own reconnection ends at the first
 * refusal and does not notice silence, so both are handled here. Missed events are requested by the number of the last
 * one received.
 */
import type { LiveSnapshot } from '../src/servers/http/live-shape.ts';

export type Loss = 'unreachable' | 'silent';

export interface FeedEvents {
  snapshot(snapshot: LiveSnapshot): void;
  lost(why: Loss): void;
}

/** Milliseconds without an event after which the node counts as silent; it sends one per second. */
const SILENT_MS = 4_500;
const WATCH_EVERY_MS = 500;
const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 5_000;

export class Feed {
  private readonly url: string;
  private readonly events: FeedEvents;
  private source: EventSource | null = null;
  private lastId = '';
  private heardAt = 0;
  private retryMs = RETRY_MS_MIN;
  private retryTimer = 0;

  constructor(url: string, events: FeedEvents) {
    this.url = url;
    this.events = events;
    this.open();
    window.setInterval(() => this.watch(), WATCH_EVERY_MS);
    window.addEventListener('online', () => this.hurry());
    document.addEventListener('visibilitychange', () => document.hidden || this.hurry());
  }

  private open(): void {
    const after = this.lastId === '' ? '' : `?after=${encodeURIComponent(this.lastId)}`;
    const source = new EventSource(this.url + after);
    this.source = source;
    this.heardAt = performance.now();
    source.addEventListener('snapshot', (event: MessageEvent<string>) => {
      this.lastId = event.lastEventId;
      this.heardAt = performance.now();
      this.retryMs = RETRY_MS_MIN;
      this.events.snapshot(JSON.parse(event.data) as LiveSnapshot);
    });
    source.addEventListener('error', () => this.lose('unreachable'));
  }

  private watch(): void {
    if (this.source !== null && performance.now() - this.heardAt > SILENT_MS) this.lose('silent');
  }

  private lose(why: Loss): void {
    this.source?.close();
    this.source = null;
    this.events.lost(why);
    window.clearTimeout(this.retryTimer);
    this.retryTimer = window.setTimeout(() => this.open(), this.retryMs);
    this.retryMs = Math.min(2 * this.retryMs, RETRY_MS_MAX);
  }

  /** Somebody is looking at the page: reconnect now rather than later. */
  private hurry(): void {
    if (this.source !== null) return;
    window.clearTimeout(this.retryTimer);
    this.retryMs = RETRY_MS_MIN;
    this.open();
  }
}
