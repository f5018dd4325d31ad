/**
 * What only real networks and processes can do to a link: processes killed or stopped, connections frozen, garbage
 * sent.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { numberedFrame, numberOf, TestPeer } from '../../../test/contracts/transport.ts';
import { startPeer } from '../../../test/support/start-peer.ts';
import { Prng } from '../../base/prng.ts';
import { PROTOCOL_MAX } from '../../core/membership/protocol-versions.ts';
import { encodeAnswer } from '../../wire/handshake.ts';
import { encodeText, FIELD_ANSWER } from '../../wire/packet-codec.ts';
import type { LinkTiming } from './peer-dialer.ts';
import { PEER_SERVICE } from './peer-listener.ts';
import type { PeerListener } from './peer-listener.ts';
import { createGrpcTransport, PEER_SERVER_OPTIONS } from './transport.ts';

const FAST: Partial<LinkTiming> = {
  backOffMsMin: 20,
  backOffMsMax: 60,
  handshakeMsMax: 400,
  aliveEveryMs: 60,
};
/** For a process on a busy machine. */
const PATIENT: Partial<LinkTiming> = { ...FAST, aliveEveryMs: 200 };
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
let folder = '';
let program = '';
const endings: (() => void)[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(ROOT, 'node_modules', '.peer-process-'));
  program = join(folder, 'peer-process.mjs');
  await build({
    entryPoints: [join(ROOT, 'test/support/peer-process.ts')],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
  });
});

afterEach(() => {
  for (const ending of endings.splice(0).reverse()) ending();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function addPeer(name: string, timing = FAST, at = 0): Promise<{ peer: TestPeer; port: number }> {
  const added = await startPeer(name, { timing, at });
  endings.push(added.end);
  return added;
}

async function addProcess(name: string, port: number, dials: TestPeer, dialsPort: number) {
  const child: ChildProcess = spawn(
    process.execPath,
    [program, name, String(port), dials.name, `127.0.0.1:${dialsPort}`],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  endings.push(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  return { child, port: (JSON.parse(line.toString()) as { port: number }).port };
}

/** A proxied connection that can be frozen: no bytes pass, but the sockets stay open. */
class Wire {
  frozen = false;
  /** Connections opened so far; each is one attempt to dial. */
  taken = 0;
  readonly server: NetServer;
  private readonly sockets: Socket[] = [];

  constructor(port: number) {
    this.server = createServer((near) => {
      this.taken += 1;
      const far = connect(port, '127.0.0.1');
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.sockets.push(from);
        from.on('data', (bytes: Buffer) => this.frozen || to.write(bytes));
        from.on('error', () => {});
        from.on('close', () => this.frozen || to.destroy());
      }
    });
    endings.push(() => this.end());
  }

  async listen(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Resolves when the dialler has tried at least twice more, in vain. */
  dialledOn(): Promise<void> {
    const { taken } = this;
    return reached(() => this.taken >= taken + 3);
  }

  end(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}

async function reached(condition: () => boolean, msMax = 8000): Promise<void> {
  const end = performance.now() + msMax;
  while (!condition() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(condition()).toBe(true);
}

test('a process killed with -9: both of its links are gone before any sign of life could be missed', async () => {
  const { peer: a, port } = await addPeer('a', {});
  const { child, port: childPort } = await addProcess('b', 0, a, port);
  a.dial('b', `127.0.0.1:${childPort}`);
  await reached(() => a.count('up b') === 1);
  await reached(() => a.send('b', numberedFrame(5, 1000)) && a.framesFrom('b').length > 0);
  child.kill('SIGKILL');
  await reached(() => a.count('down b') === 1 && a.count('gone b') === 1, 2000);
  const again = await addProcess('b', childPort, a, port);
  expect(again.port).toBe(childPort);
  await reached(() => a.count('up b') === 2);
  const before = a.framesFrom('b').length;
  await reached(() => a.send('b', numberedFrame(6, 10)) && a.framesFrom('b').length > before);
  expect(numberOf(a.framesFrom('b').at(-1)!)).toBe(6);
});

test('a peer that was long away dials us: it is dialled at once, whatever the pause before the next try', async () => {
  const unhurried = { ...FAST, backOffMsMin: 600_000, backOffMsMax: 600_000 };
  const { peer: a, port: portOfA } = await addPeer('a', unhurried);
  const gone = await addPeer('gone');
  a.dial('b', `127.0.0.1:${gone.port}`);
  await reached(() => a.log.some((line) => line.startsWith('refused b')));
  endings.pop()!();
  const { peer: b } = await addPeer('b', FAST, gone.port);
  b.dial('a', `127.0.0.1:${portOfA}`);
  await reached(() => a.count('up b') === 1 && b.count('up a') === 1);
});

test('a process stopped: its links are given up, and dialling it hangs in no attempt; it goes on: links again', async () => {
  const { peer: a, port } = await addPeer('a', PATIENT);
  const { child, port: childPort } = await addProcess('b', 0, a, port);
  const wire = new Wire(childPort);
  a.dial('b', await wire.listen());
  // The echo arrives once the process has dialled back as well.
  await reached(() => a.send('b', numberedFrame(1, 10)) && a.framesFrom('b').length > 0);
  child.kill('SIGSTOP');
  await reached(() => a.count('down b') >= 1 && a.count('gone b') >= 1);
  expect(a.reasons).toContain('the peer is silent');
  const ups = a.count('up b');
  await wire.dialledOn();
  expect(a.count('up b')).toBe(ups);
  child.kill('SIGCONT');
  await reached(() => a.count('up b') > ups);
  await reached(() => a.send('b', numberedFrame(2, 10)) && numberOf(a.framesFrom('b').at(-1)!) === 2);
});

test('a wire that goes dead with its sockets open: both sides find out by silence', async () => {
  const [{ peer: a }, { peer: b, port }] = [await addPeer('a'), await addPeer('b')];
  const wire = new Wire(port);
  a.dial('b', await wire.listen());
  await reached(() => a.count('up b') === 1);
  wire.frozen = true;
  await reached(() => a.count('down b') === 1 && b.count('gone a') === 1);
  await wire.dialledOn();
  wire.frozen = false;
  await reached(() => a.count('up b') === 2);
  expect(a.send('b', numberedFrame(3, 10))).toBe(true);
  await reached(() => b.framesFrom('a').length === 1);
  expect(b.log).toEqual(['gone a', 'frame a']);
});

test('a port that takes connections and says nothing: no attempt outlives its watchdog', async () => {
  const { peer: a } = await addPeer('a');
  const open = new Set<Socket>();
  let taken = 0;
  const mute = createServer((socket) => {
    taken += 1;
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
    socket.resume();
  }).listen(0, '127.0.0.1');
  endings.push(() => mute.close());
  await once(mute, 'listening');
  a.dial('b', `127.0.0.1:${(mute.address() as AddressInfo).port}`);
  await reached(() => taken >= 3);
  expect(open.size).toBeLessThanOrEqual(1);
  expect(a.log).toEqual([]);
});

test('a way to a peer is set: it is dialled there, at whatever address it is known by', async () => {
  const { port } = await addPeer('b');
  const server = new Server(PEER_SERVER_OPTIONS);
  const dialAt = new Map([['b', `127.0.0.1:${port}`]]);
  const a = new TestPeer('a', createGrpcTransport({ server, random: new Prng(1), timing: FAST, dialAt }));
  endings.push(() => a.close(() => {}));
  a.dial('b', '127.0.0.1:1');
  await reached(() => a.count('up b') === 1);
});

test('an address that is none: is refused with the reason, and harms nothing', async () => {
  const { peer: a } = await addPeer('a');
  a.dial('b', 'no address at all');
  await reached(() => a.count('refused b') >= 2);
  expect(a.reasons[0]).toContain('cannot be dialled');
});

test('a server without the peer service: no link, and the dialling goes on', async () => {
  const { peer: a } = await addPeer('a');
  const other = new Server();
  const port = await new Promise<number>((resolve) => {
    other.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_, bound) => resolve(bound));
  });
  endings.push(() => other.forceShutdown());
  const wire = new Wire(port);
  a.dial('b', await wire.listen());
  await wire.dialledOn();
  expect(a.log).toEqual([]);
});

test('another member answers at the address: no link, refused with its name', async () => {
  const { peer: a } = await addPeer('a');
  const server = new Server();
  server.addService(PEER_SERVICE, {
    link: (call: Parameters<PeerListener['answer']>[0]) => {
      const answer = { name: 'c', protocol: PROTOCOL_MAX, refusal: null };
      call.once('data', () => call.write(encodeText(FIELD_ANSWER, encodeAnswer(answer))));
      call.on('error', () => undefined);
    },
  });
  const port = await new Promise<number>((resolve) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_, bound) => resolve(bound));
  });
  endings.push(() => server.forceShutdown());
  a.dial('b', `127.0.0.1:${port}`);
  await reached(() => a.log.length > 0);
  expect([a.log[0], a.reasons[0]]).toEqual(['refused b', "name: 'c' answered"]);
});
