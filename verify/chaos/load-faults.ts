/** Clients as faults: they send more requests than can be handled, or send requests and do not read the answers. */
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { readFileSync } from 'node:fs';
import { connect } from '../../src/client/index.ts';
import { Flood } from '../flood.ts';
import { until } from '../world.ts';
import type { SpecOf } from './fault-spec.ts';
import type { Scene } from './scene.ts';

const CAPACITY_MS = 2_000;
/** Below this nothing can be said about a cluster. */
const CAPACITY_MIN = 50;
const VALUE_BYTES = 900_000;
/** Number of large reads of each client that does not read: five times as many bytes as may wait for it. */
const READS_EACH = 100;
const REFUSED_TIMEOUT_MS = 20_000;

/**
 * Sends a multiple of the puts that can be handled; then half of what can be handled, to see how soon no put is refused
 * any more.
 */
export async function flood(spec: SpecOf<'flood'>, scene: Scene): Promise<boolean> {
  const addresses = scene.world.nodes.map(({ address }) => address);
  const load = new Flood(addresses, `flood:${Date.now()}:`);
  const hold = (ms: number): Promise<void> => scene.hold(ms);
  try {
    const capacity = Math.max(CAPACITY_MIN, await load.capacity(CAPACITY_MS, hold));
    const asked = Math.round(capacity * spec.times);
    scene.began([], `${asked} puts a second, ${spec.times} times as many as get done`);
    const figures = await load.run(capacity, asked, scene.number(spec.lastsMs), hold);
    scene.flooded(figures);
    return figures.refusedPerSecond > 0 || figures.unsent > 0;
  } finally {
    load.close();
  }
}

/** Clients that request large values from every node, over and over, and never read an answer. */
export async function slowReader(spec: SpecOf<'slow-reader'>, scene: Scene): Promise<boolean> {
  const keys = await bigKeys(scene);
  const before = memoryOf(scene);
  const sessions: ClientHttp2Session[] = [];
  let refused = 0;
  try {
    scene.began([], `${spec.clients} clients of every node ask for large values and do not read`);
    for (const { address } of scene.world.nodes) {
      for (let count = 0; count < spec.clients; count += 1) {
        const session = connectHttp2(`http://${address}`);
        session.on('error', () => undefined);
        sessions.push(session);
        for (let read = 0; read < READS_EACH; read += 1) ask(session, keys, () => (refused += 1));
      }
    }
    await scene.awaits(
      until('a slow reader is refused', () => Promise.resolve(refused > 0), REFUSED_TIMEOUT_MS),
    );
    await scene.hold(spec.lastsMs);
    const grownBytes = Math.max(...memoryOf(scene).map((bytes, at) => bytes - (before[at] ?? 0)), 0);
    scene.unread({ clients: spec.clients, refused, grownBytes });
  } finally {
    for (const session of sessions) session.destroy();
  }
  return refused > 0;
}

async function bigKeys(scene: Scene): Promise<string[]> {
  const client = connect({ nodes: scene.world.nodes.map(({ address }) => address) });
  const keys = ['slow-reader:1', 'slow-reader:2'];
  try {
    const isWritten = async (): Promise<boolean> => {
      const entries = keys.map((key) => ({ key, value: 'v'.repeat(VALUE_BYTES) }));
      return (await client.setMany(entries)).every(({ ok }) => ok);
    };
    await scene.awaits(until('the large values are written', isWritten, REFUSED_TIMEOUT_MS));
  } finally {
    client.close();
  }
  return keys;
}

/** A GetMany call whose answer nobody reads. */
function ask(session: ClientHttp2Session, keys: readonly string[], onRefused: () => void): void {
  // A repeated string, the first field: its tag, its length, its bytes.
  const fields = keys.map((key) => Buffer.concat([Buffer.from([0x0a, key.length]), Buffer.from(key)]));
  const message = Buffer.concat(fields);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  const stream = session.request({
    ':method': 'POST',
    ':path': '/causeway.v1.KeyValue/GetMany',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('response', (headers) => {
    if (headers['causeway-code'] === 'overloaded') onRefused();
  });
  stream.on('error', () => undefined);
  stream.end(Buffer.concat([head, message]));
}

/** Resident bytes of each node's process; 0 if the system does not provide it. */
function memoryOf(scene: Scene): number[] {
  return scene.world.nodes.map(({ name }) => {
    const pid = scene.rig.processOf(name)?.pid;
    try {
      const told = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
      return Number(told?.[1] ?? 0) * 1024;
    } catch {
      return 0;
    }
  });
}
