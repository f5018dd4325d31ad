/** The state of the page, as signals; panels read them, and only the feed writes them. */
import { computed, signal } from '@preact/signals';
import type { LiveRing, LiveSnapshot } from '../src/servers/http/live-shape.ts';
import { Feed } from './feed.ts';
import type { Loss } from './feed.ts';
import { withSample } from './history.ts';
import type { Sample } from './history.ts';
import { decodeSlots } from './ring-geometry.ts';

export type Connection =
  /** No event has been received yet. */
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** Anything shown is old; `since` is milliseconds of this machine's clock. */
  | { readonly kind: 'lost'; readonly why: Loss; readonly since: number };

export interface Ring extends Omit<LiveRing, 'slotRow'> {
  readonly slotRow: Uint16Array;
}

export const connection = signal<Connection>({ kind: 'connecting' });
export const snapshot = signal<LiveSnapshot | null>(null);
export const samples = signal<readonly Sample[]>([]);
export const ring = signal<Ring | null>(null);
/** This machine's clock, updated once a second. */
const now = signal(Date.now());
/** The name of the member under the pointer. */
export const chosenMember = signal<string | null>(null);

/** Milliseconds for which the connection has been lost; 0 if it is not. */
export const lostForMs = computed(() =>
  connection.value.kind === 'lost' ? Math.max(0, now.value - connection.value.since) : 0,
);

export function start(): void {
  window.setInterval(() => (now.value = Date.now()), 1_000);
  new Feed('/v1/live', {
    snapshot: (told) => {
      connection.value = { kind: 'live' };
      snapshot.value = told;
      samples.value = withSample(samples.value, told);
      void refreshRing(told);
    },
    lost: (why) => {
      const since = connection.value.kind === 'lost' ? connection.value.since : Date.now();
      connection.value = { kind: 'lost', why, since };
    },
  });
}

let ringOf = '';
let isAsking = false;

/** The ring changes only with the epoch; after a failure it is requested again with the next snapshot. */
async function refreshRing({ cluster }: LiveSnapshot): Promise<void> {
  const wanted = cluster === null ? '' : `${cluster.id} ${cluster.life} ${cluster.epoch}`;
  if (wanted === ringOf || isAsking) return;
  if (cluster === null) {
    ring.value = null;
    ringOf = '';
    return;
  }
  isAsking = true;
  try {
    const answer = await fetch('/v1/live/ring', { signal: AbortSignal.timeout(5_000) });
    if (!answer.ok) return;
    const told = (await answer.json()) as LiveRing;
    ring.value = { ...told, slotRow: decodeSlots(told.slotRow) };
    ringOf = `${cluster.id} ${cluster.life} ${told.epoch}`;
  } catch {
    // The next snapshot tries again.
  } finally {
    isAsking = false;
  }
}
