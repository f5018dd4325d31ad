/**
 * The contract of a transport towards its node, for the real and the simulated one. A world provides peers and time; a
 * peer records everything that was reported to it, in order.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PeerHello, Transport, TransportHandler } from '../../src/ports/transport.ts';

export interface TransportWorld {
  /** Starts a process of that name; the same name again is a restarted process, at the same address. */
  add(name: string, options?: PeerOptions): Promise<TestPeer>;
  /** Where the process of that name will be found, now or later. */
  addressOf(name: string): Promise<string>;
  /** The process ends without notice. */
  kill(peer: TestPeer): void;
  /** Lets time pass until the condition holds; returns false after a long while. */
  until(condition: () => boolean): Promise<boolean>;
  pass(ms: number): Promise<void>;
  end(): Promise<void>;
}

export interface PeerOptions {
  readonly hello?: Partial<PeerHello>;
  readonly maxQueueBytes?: number;
  /** It runs and is reachable, but listens only when told to. */
  readonly listensLater?: boolean;
}

const HELLO: PeerHello = {
  name: '',
  clusterName: 'test',
  protocolMin: 1,
  protocolMax: 2,
  settings: { leaseMs: '600', zone: 'any' },
};

/** A transport in use, with everything that it reported. */
export class TestPeer implements TransportHandler {
  readonly name: string;
  /** `up b`, `down b`, `gone b`, `refused b: reason`, `frame b 17`. */
  readonly log: string[] = [];
  readonly frames = new Map<string, Uint8Array[]>();
  readonly reasons: string[] = [];
  /** The protocol version of each link. */
  readonly protocols = new Map<string, number>();
  private readonly transport: Transport;
  private readonly hello: PeerHello;
  private callDepth = 0;

  constructor(name: string, transport: Transport, { hello, listensLater }: PeerOptions = {}) {
    this.name = name;
    this.transport = transport;
    this.hello = { ...HELLO, name, ...hello };
    if (listensLater !== true) this.listen();
  }

  listen(): void {
    this.during(() => this.transport.start(this.hello, this));
  }

  dial(name: string, address: string): void {
    this.during(() => this.transport.dial(name, address));
  }

  forget(name: string): void {
    this.during(() => this.transport.forget(name));
  }

  send(name: string, frame: Uint8Array): boolean {
    return this.during(() => this.transport.send(name, frame));
  }

  queuedBytes(name: string): number {
    return this.during(() => this.transport.queuedBytes(name));
  }

  close(done: () => void): void {
    this.during(() =>
      this.transport.close(() => {
        this.note('closed');
        done();
      }),
    );
  }

  count(line: string): number {
    return this.log.filter((entry) => entry === line).length;
  }

  framesFrom(name: string): Uint8Array[] {
    return this.frames.get(name) ?? [];
  }

  onLinkUp(name: string, protocol: number): void {
    this.protocols.set(name, protocol);
    this.note(`up ${name}`);
  }

  onLinkDown(name: string, reason: string): void {
    this.reasons.push(reason);
    this.note(`down ${name}`);
  }

  onFrame(name: string, frame: Uint8Array): void {
    const frames = this.framesFrom(name);
    frames.push(frame);
    this.frames.set(name, frames);
    this.note(`frame ${name}`);
  }

  onPeerGone(name: string): void {
    this.note(`gone ${name}`);
  }

  onRefused(name: string, reason: string): void {
    this.reasons.push(reason);
    this.note(`refused ${name}`);
  }

  private note(line: string): void {
    this.log.push(this.callDepth === 0 ? line : `${line} FROM WITHIN A CALL`);
  }

  private during<T>(call: () => T): T {
    this.callDepth += 1;
    try {
      return call();
    } finally {
      this.callDepth -= 1;
    }
  }
}

/** A recognisable frame: its number, then bytes that follow from it. */
export function numberedFrame(number: number, byteCount: number): Uint8Array {
  const frame = Buffer.alloc(Math.max(4, byteCount), number & 0xff);
  frame.writeUInt32LE(number, 0);
  return frame;
}

export function numberOf(frame: Uint8Array): number {
  return Buffer.from(frame.buffer, frame.byteOffset).readUInt32LE(0);
}

export function transportContract(title: string, makeWorld: () => TransportWorld): void {
  describe(`${title}, as a transport`, () => {
    let world: TransportWorld;
    const peers: TestPeer[] = [];
    beforeEach(() => {
      world = makeWorld();
    });
    afterEach(async () => {
      await world.end();
      const within = peers.flatMap((peer) => peer.log.filter((line) => line.includes('WITHIN')));
      peers.length = 0;
      expect(within).toEqual([]);
    });
    const add = async (name: string, options?: PeerOptions): Promise<TestPeer> => {
      const peer = await world.add(name, options);
      peers.push(peer);
      return peer;
    };
    const reached = async (condition: () => boolean): Promise<void> => {
      expect(await world.until(condition)).toBe(true);
    };
    const linked = async (from: TestPeer, to: string, ups = 1): Promise<void> => {
      from.dial(to, await world.addressOf(to));
      await reached(() => from.count(`up ${to}`) >= ups);
    };

    linkStories(add, reached, linked, () => world);
    endStories(add, reached, linked, () => world);
  });
}

type Add = (name: string, options?: PeerOptions) => Promise<TestPeer>;
type Reached = (condition: () => boolean) => Promise<void>;
type Linked = (from: TestPeer, to: string, ups?: number) => Promise<void>;

function linkStories(add: Add, reached: Reached, linked: Linked, world: () => TransportWorld): void {
  test('frames of all sizes on one link: arrive whole, once and in order', async () => {
    const [a, b] = [await add('a'), await add('b')];
    await linked(a, 'b');
    const sent: Uint8Array[] = [];
    for (let number = 0; number < 400; number++) {
      const frame = numberedFrame(number, number % 100 === 99 ? 1_500_000 : (number * 37) % 3000);
      expect(a.send('b', frame)).toBe(true);
      sent.push(frame);
    }
    await reached(() => b.framesFrom('a').length >= sent.length);
    await world().pass(20);
    expect(b.framesFrom('a').map((frame) => Buffer.compare(frame, sent[numberOf(frame)]!))).toEqual(
      sent.map(() => 0),
    );
    expect(b.framesFrom('a').map(numberOf)).toEqual(sent.map(numberOf));
    await reached(() => a.queuedBytes('b') === 0);
  });

  test('one direction dialled: only that one carries frames', async () => {
    const [a, b] = [await add('a'), await add('b')];
    await linked(a, 'b');
    expect(b.send('a', numberedFrame(1, 10))).toBe(false);
    expect(b.queuedBytes('a')).toBe(0);
    await linked(b, 'a');
    expect(b.send('a', numberedFrame(2, 10))).toBe(true);
    await reached(() => a.framesFrom('b').length === 1);
    expect(numberOf(a.framesFrom('b')[0]!)).toBe(2);
  });

  test('no link yet: nothing is taken; the peer comes later: the link comes up without another dial', async () => {
    const a = await add('a');
    a.dial('b', await world().addressOf('b'));
    await world().pass(120);
    expect(a.send('b', numberedFrame(1, 10))).toBe(false);
    expect(a.log).toEqual([]);
    await add('b');
    await reached(() => a.count('up b') === 1);
    expect(a.send('b', numberedFrame(1, 10))).toBe(true);
  });

  test('the peer runs and does not listen yet: nothing is told; once it does the link comes up', async () => {
    const [a, b] = [await add('a'), await add('b', { listensLater: true })];
    a.dial('b', await world().addressOf('b'));
    await world().pass(120);
    expect([a.log, b.log]).toEqual([[], []]);
    b.listen();
    await reached(() => a.count('up b') === 1);
    expect(a.send('b', numberedFrame(1, 10))).toBe(true);
    await reached(() => b.framesFrom('a').length === 1);
  });

  test.each([
    ['clusterName', { clusterName: 'other' }],
    ['protocol', { protocolMin: 3, protocolMax: 4 }],
    ['setting leaseMs', { settings: { leaseMs: '500', zone: 'any' } }],
    ['setting extra', { settings: { leaseMs: '600', zone: 'any', extra: 'x' } }],
  ])('another %s: both sides refuse and name it, and no link comes up', async (difference, hello) => {
    const [a, b] = [await add('a'), await add('b', { hello })];
    a.dial('b', await world().addressOf('b'));
    await reached(() => a.count('refused b') >= 2 && b.count('refused a') >= 2);
    for (const reason of [...a.reasons, ...b.reasons]) expect(reason).toContain(difference);
    expect(a.count('up b')).toBe(0);
    expect(a.send('b', numberedFrame(1, 10))).toBe(false);
  });

  test.each([
    [{ protocolMin: 2, protocolMax: 7 }, 2],
    [{ protocolMin: 0, protocolMax: 1 }, 1],
  ])('a peer that speaks %o: the link has the highest version that both speak', async (hello, protocol) => {
    const [a, b] = [await add('a'), await add('b', { hello })];
    await linked(a, 'b');
    await linked(b, 'a');
    expect([a.protocols.get('b'), b.protocols.get('a')]).toEqual([protocol, protocol]);
  });

  test('the address leads to another member: refused, not mistaken for the one that was meant', async () => {
    const [a] = [await add('a'), await add('c')];
    a.dial('b', await world().addressOf('c'));
    await reached(() => a.count('refused b') >= 1);
    expect(a.reasons[0]).toContain('name');
    expect(a.count('up b')).toBe(0);
  });

  test('more than the queue holds: the frame is not taken, the link is cut, and comes back', async () => {
    const [a, b] = [await add('a', { maxQueueBytes: 3_000_000 }), await add('b')];
    await linked(a, 'b');
    let taken = 0;
    while (a.send('b', numberedFrame(taken, 100_000)) && taken < 1000) taken += 1;
    expect(taken).toBeLessThan(1000);
    expect(a.log).toEqual(['up b']);
    expect(a.send('b', numberedFrame(0, 10))).toBe(false);
    await reached(() => a.count('up b') === 2 && b.count('gone a') === 1);
    expect(a.log).toEqual(['up b', 'down b', 'up b']);
    expect(a.reasons).toEqual(['queue full']);
    expect(b.framesFrom('a').map(numberOf)).toEqual(b.framesFrom('a').map((_, index) => index));
    expect(a.send('b', numberedFrame(7777, 10))).toBe(true);
    await reached(() => b.framesFrom('a').some((frame) => numberOf(frame) === 7777));
  });
}

function endStories(add: Add, reached: Reached, linked: Linked, world: () => TransportWorld): void {
  test('a peer dies: its links are told of at once on both sides, and a restarted one is linked anew', async () => {
    const [a, b] = [await add('a'), await add('b')];
    await linked(a, 'b');
    await linked(b, 'a');
    expect(b.send('a', numberedFrame(1, 10))).toBe(true);
    await reached(() => a.framesFrom('b').length === 1);
    world().kill(b);
    await reached(() => a.count('down b') === 1 && a.count('gone b') === 1);
    expect(a.send('b', numberedFrame(2, 10))).toBe(false);
    const again = await add('b');
    await reached(() => a.count('up b') === 2);
    await linked(again, 'a');
    expect(again.send('a', numberedFrame(3, 10))).toBe(true);
    await reached(() => a.framesFrom('b').length === 2);
    const order = a.log.filter((line) => line !== 'up b' && line !== 'down b');
    expect(order).toEqual(['frame b', 'gone b', 'frame b']);
  });

  test('a forgotten peer: takes nothing, is not reported on, and hears that we are gone', async () => {
    const [a, b] = [await add('a'), await add('b')];
    await linked(a, 'b');
    a.forget('b');
    expect(a.send('b', numberedFrame(1, 10))).toBe(false);
    await reached(() => b.count('gone a') === 1);
    await world().pass(150);
    expect(a.log).toEqual(['up b']);
    await linked(a, 'b', 2);
    expect(a.send('b', numberedFrame(2, 10))).toBe(true);
    await reached(() => b.framesFrom('a').length === 1);
    expect(b.log).toEqual(['gone a', 'frame a']);
  });

  test('the same dial again: changes nothing', async () => {
    const [a, b] = [await add('a'), await add('b')];
    await linked(a, 'b');
    a.dial('b', await world().addressOf('b'));
    expect(a.send('b', numberedFrame(1, 10))).toBe(true);
    await reached(() => b.framesFrom('a').length === 1);
    expect(a.log).toEqual(['up b']);
  });

  test('closed: what was sent before still arrives, the peers are told, and nothing is reported but the end', async () => {
    const [a, b] = [await add('a'), await add('b')];
    await linked(a, 'b');
    await linked(b, 'a');
    expect(a.send('b', numberedFrame(1, 200_000))).toBe(true);
    let closed = 0;
    a.close(() => (closed += 1));
    expect(a.send('b', numberedFrame(2, 10))).toBe(false);
    await reached(() => closed === 1 && b.count('gone a') === 1 && b.count('down a') === 1);
    await world().pass(150);
    expect(a.log).toEqual(['up b', 'closed']);
    expect(b.framesFrom('a').map(numberOf)).toEqual([1]);
    expect(closed).toBe(1);
  });
}
