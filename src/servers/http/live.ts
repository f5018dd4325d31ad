/**
 * The live feed of the page: `/v1/live` sends one snapshot a second as a server-sent event, and `/v1/live/ring` says
 * which node holds which slots; a page asks for the ring again when the epoch has changed. Each event is also a sign of
 * life. A page that reconnects names the last event it has, and gets those it missed. A page that does not read is
 * disconnected.
 */
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Context } from 'hono';
import { oncePer } from '../../base/once-per.ts';
import { LIVE_EVERY_MS, LIVE_LISTENERS_MAX, LIVE_UNREAD_BYTES_MAX } from '../../core/clients/http-limits.ts';
import type { RingMap } from '../../core/placement/ring-map.ts';
import type { NodeApi } from '../../node/api.ts';
import { LiveLooks } from './live-looks.ts';
import type { AskPeers, Look } from './live-looks.ts';
import type { LiveRing } from './live-shape.ts';
import type { Wire } from './key-path.ts';
import type { Mount } from './server.ts';
import { onceTaken } from './unsent.ts';

const RING_TIMEOUT_MS = 2_000;
const UTF8 = new TextEncoder();
const FEED = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
};

export function mountLive(
  api: NodeApi,
  peers: AskPeers,
  clusterName: string,
  everyMs = LIVE_EVERY_MS,
): Mount {
  const looks = new LiveLooks(api, peers, clusterName, everyMs);
  // The numbers of looks start again in each process, so event ids include a random name of the process.
  const run = randomBytes(6).toString('hex');
  return (routes) => {
    routes.get('/v1/live', (context) => {
      // The answer to HEAD has no body, so a listener would never be read and never be removed.
      if (context.req.method === 'HEAD') return context.body(null, 200, FEED);
      if (looks.listenerCount < LIVE_LISTENERS_MAX) return feed(context, looks, run, everyMs);
      context.header('retry-after', '10');
      return context.json({ detail: 'as many pages are open at this node as it tells' }, 503);
    });
    routes.get('/v1/live/ring', (context) => ring(context, api));
  };
}

function feed(context: Context, looks: LiveLooks, run: string, everyMs: number): Response {
  const last = context.req.header('last-event-id') ?? context.req.query('after') ?? '';
  const [ofRun, number] = last.split('.');
  const seen = ofRun === run && /^\d{1,15}$/.test(number ?? '') ? Number(number) : 0;
  const wire = context.env as Required<Wire>;
  let listener: (look: Look) => void;
  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const write = (text: string): void => controller.enqueue(UTF8.encode(text));
        const tell = (look: Look): void =>
          write(`id: ${run}.${look.number}\nevent: snapshot\ndata: ${look.json}\n\n`);
        listener = (look) => {
          tell(look);
          if (controller.desiredSize! > 0) return;
          // The page does not read: its unread events are dropped together with its connection.
          looks.leave(listener);
          wire.outgoing.destroy();
        };
        write(`retry: ${everyMs}\n\n`);
        for (const look of looks.keptAfter(seen)) tell(look);
        looks.listen(listener);
        onceTaken(wire, () => looks.leave(listener));
      },
      cancel: () => looks.leave(listener),
    },
    { highWaterMark: LIVE_UNREAD_BYTES_MAX, size: (chunk) => chunk.byteLength },
  );
  return context.body(stream, 200, FEED);
}

/** A map never changes, and all pages ask for the same one. */
const packed: (map: RingMap) => Uint8Array<ArrayBuffer> = oncePer(pack);

function ring(context: Context, api: NodeApi): Promise<Response> {
  return new Promise((resolve) => {
    api.operate({ kind: 'ring' }, RING_TIMEOUT_MS, (answer) => {
      if (answer.kind !== 'ring')
        return resolve(context.json({ detail: 'this node is in no cluster yet' }, 503));
      const headers = {
        'content-type': 'application/json; charset=utf-8',
        'content-encoding': 'gzip',
        'cache-control': 'no-store',
      };
      resolve(context.body(packed(answer.ring), 200, headers));
    });
  });
}

function pack(map: RingMap): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.alloc(map.slotRow.length * 2);
  map.slotRow.forEach((row, slot) => bytes.writeUInt16LE(row, slot * 2));
  const told: LiveRing = { ...map, slotRow: bytes.toString('base64') };
  return new Uint8Array(gzipSync(JSON.stringify(told), { level: 1 }));
}
