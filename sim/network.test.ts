/** The simulated network: the contract of a transport, and the conditions it can simulate. */
import { describe, expect, test } from 'vitest';
import { Prng } from '../src/base/prng.ts';
import { numberedFrame, numberOf, TestPeer, transportContract } from '../test/contracts/transport.ts';
import type { PeerOptions, TransportWorld } from '../test/contracts/transport.ts';
import { SimNetwork } from './network.ts';
import type { NetworkWeather } from './network.ts';
import { Scheduler } from './scheduler.ts';
import type { Life } from './scheduler.ts';

class SimWorld implements TransportWorld {
  readonly scheduler = new Scheduler();
  readonly network: SimNetwork;
  private readonly lives = new Map<TestPeer, Life>();

  constructor(seed: number, weather: Partial<NetworkWeather> = {}) {
    this.network = new SimNetwork(this.scheduler, new Prng(seed), weather);
  }

  add(name: string, options: PeerOptions = {}): Promise<TestPeer> {
    return Promise.resolve(this.addNow(name, options));
  }

  addNow(name: string, options: PeerOptions = {}): TestPeer {
    const life: Life = { alive: true, pausedUntil: 0 };
    const transport = this.network.attach(name, life, name, options.maxQueueBytes);
    const peer = new TestPeer(name, transport, options);
    this.lives.set(peer, life);
    return peer;
  }

  addressOf(name: string): Promise<string> {
    return Promise.resolve(name);
  }

  kill(peer: TestPeer, manner: 'silent' | 'reset' = 'reset'): void {
    this.lives.get(peer)!.alive = false;
    this.network.kill(peer.name, manner);
  }

  pause(peer: TestPeer, ms: number): void {
    this.lives.get(peer)!.pausedUntil = this.scheduler.time + ms;
  }

  until(condition: () => boolean): Promise<boolean> {
    const end = this.scheduler.time + 20_000;
    while (!condition() && this.scheduler.step(end));
    return Promise.resolve(condition());
  }

  pass(ms: number): Promise<void> {
    this.scheduler.runUntil(this.scheduler.time + ms);
    return Promise.resolve();
  }

  end(): Promise<void> {
    return Promise.resolve();
  }

  run(ms: number): void {
    this.scheduler.runUntil(this.scheduler.time + ms);
  }
}

transportContract('the simulated network', () => new SimWorld(1));
transportContract('the simulated network, slow and spiky', () => {
  return new SimWorld(2, { delayMsMin: 1, delayMsMax: 30, spikeShare: 0.2, spikeMsMax: 100 });
});

/** Two peers linked in both directions. */
function pair(world: SimWorld): [TestPeer, TestPeer] {
  const a = world.addNow('a');
  const b = world.addNow('b');
  a.dial('b', 'b');
  b.dial('a', 'a');
  world.run(50);
  expect([a.log[0], b.log[0]]).toEqual(['up b', 'up a']);
  return [a, b];
}

const numbers = (peer: TestPeer, from: string): number[] => peer.framesFrom(from).map(numberOf);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe('the simulated network', () => {
  test('a silent cut that heals soon: holds the frames back and loses none', () => {
    const world = new SimWorld(3);
    const [a, b] = pair(world);
    a.send('b', numberedFrame(0, 10));
    world.network.cut('a', 'b');
    for (let number = 1; number < 20; number++) a.send('b', numberedFrame(number, 10));
    world.run(1000);
    expect(b.framesFrom('a')).toEqual([]);
    world.network.heal();
    world.run(50);
    expect(numbers(b, 'a')).toEqual(upTo(20));
    expect(a.log).toEqual(['up b']);
  });

  test('a silent cut that lasts: both sides give up after a while, and link again when it heals', () => {
    const world = new SimWorld(4);
    const [a, b] = pair(world);
    world.network.cut('a', 'b');
    world.run(1500);
    expect([a.log, b.log]).toEqual([['up b'], ['up a']]);
    world.run(6000);
    expect([...a.log].sort()).toEqual(['down b', 'gone b', 'up b']);
    expect([...b.log].sort()).toEqual(['down a', 'gone a', 'up a']);
    world.network.heal('a', 'b');
    world.run(4000);
    expect([a.count('up b'), b.count('up a')]).toEqual([2, 2]);
  });

  test('a one-way cut: no link between the two survives it, for each needs both ways', () => {
    const world = new SimWorld(5);
    const [a, b] = pair(world);
    world.network.cutOneWay('a', 'b');
    world.run(8000);
    expect([a.count('down b'), a.count('gone b'), b.count('down a'), b.count('gone a')]).toEqual([
      1, 1, 1, 1,
    ]);
    expect([a.send('b', numberedFrame(0, 10)), b.send('a', numberedFrame(0, 10))]).toEqual([false, false]);
  });

  test('isolated with a reset: all of its links go at once, the others keep theirs', () => {
    const world = new SimWorld(6);
    const [a, b] = pair(world);
    const c = world.addNow('c');
    c.dial('a', 'a');
    world.run(50);
    world.network.isolate('b', 'reset');
    world.run(20);
    expect([a.count('down b'), a.count('gone b'), b.count('down a'), b.count('gone a')]).toEqual([
      1, 1, 1, 1,
    ]);
    expect(c.send('a', numberedFrame(0, 10))).toBe(true);
    world.network.heal('b');
    world.run(3000);
    expect([a.count('up b'), b.count('up a'), c.count('down a')]).toEqual([2, 2, 0]);
  });

  test('a link breaks with frames under way: the first few arrive, then the end is told, and none after it', () => {
    const kept = new Set<number>();
    for (let seed = 0; seed < 60; seed++) {
      const world = new SimWorld(100 + seed);
      const [a, b] = pair(world);
      for (let number = 0; number < 10; number++) a.send('b', numberedFrame(number, 10));
      world.network.breakLinks('a', 'b');
      // Until the dialler finds out, it sends into the void.
      expect(a.send('b', numberedFrame(99, 10))).toBe(true);
      world.run(20);
      expect(numbers(b, 'a')).toEqual(upTo(b.framesFrom('a').length));
      expect(b.log.lastIndexOf('frame a')).toBeLessThan(b.log.indexOf('gone a'));
      kept.add(b.framesFrom('a').length);
    }
    expect(kept.size).toBeGreaterThan(5);
  });

  test('links that break by themselves: every frame that arrives is in order within its link', () => {
    const world = new SimWorld(27, { linkLifeMsMean: 300 });
    const [a, b] = pair(world);
    let sent = 0;
    for (let turn = 0; turn < 2000; turn++) {
      if (a.send('b', numberedFrame(sent, 10))) sent += 1;
      world.run(2);
    }
    const got = numbers(b, 'a');
    expect(b.count('gone a')).toBeGreaterThan(5);
    expect(got.length).toBeGreaterThan(500);
    expect(got.length).toBeLessThan(sent);
    expect(got).toEqual([...new Set(got)].sort((x, y) => x - y));
  });

  test('slow: frames take the added time, on that pair only', () => {
    const world = new SimWorld(8);
    const [a, b] = pair(world);
    world.network.slow('a', 'b', 200);
    a.send('b', numberedFrame(0, 10));
    world.run(190);
    expect(b.framesFrom('a')).toEqual([]);
    world.run(20);
    expect(numbers(b, 'a')).toEqual([0]);
    world.network.slow('a', 'b', 0);
    a.send('b', numberedFrame(1, 10));
    world.run(5);
    expect(numbers(b, 'a')).toEqual([0, 1]);
  });

  test('a frame held up: holds up those behind it', () => {
    const world = new SimWorld(14);
    const [a, b] = pair(world);
    world.network.slow('a', 'b', 200);
    a.send('b', numberedFrame(0, 10));
    world.network.slow('a', 'b', 0);
    a.send('b', numberedFrame(1, 10));
    world.run(150);
    expect(b.framesFrom('a')).toEqual([]);
    world.run(60);
    expect(numbers(b, 'a')).toEqual([0, 1]);
  });

  test('a process back before its end was found out: the old link is told gone before the new one speaks', () => {
    const world = new SimWorld(15);
    const [a, b] = pair(world);
    world.kill(b, 'silent');
    const again = world.addNow('b');
    again.dial('a', 'a');
    world.run(50);
    again.send('a', numberedFrame(1, 10));
    world.run(50);
    expect(a.log).toEqual(['up b', 'gone b', 'frame b']);
    world.run(4000);
    expect(a.log).toEqual(['up b', 'gone b', 'frame b', 'down b', 'up b']);
    expect(b.log).toEqual(['up a']);
  });

  test('dialled before it listens: it refuses at once, and the link is there soon after it listens', () => {
    const world = new SimWorld(16);
    const a = world.addNow('a');
    const b = world.addNow('b', { listensLater: true });
    a.dial('b', 'b');
    world.run(20);
    b.listen();
    world.run(55);
    expect(a.log).toEqual(['up b']);
  });

  test('gone for so long that it is dialled seldom: whom it dials at its return dials back at once', () => {
    const world = new SimWorld(17);
    const a = world.addNow('a');
    a.dial('b', 'b');
    world.run(5_000);
    const b = world.addNow('b');
    b.dial('a', 'a');
    world.run(10);
    expect([a.log, b.log]).toEqual([['up b'], ['up a']]);
  });

  test('a machine lost with its process: found out by silence, not at once', () => {
    const world = new SimWorld(9);
    const [a, b] = pair(world);
    world.kill(b, 'silent');
    world.run(1500);
    expect(a.log).toEqual(['up b']);
    world.run(3000);
    expect([...a.log].sort()).toEqual(['down b', 'gone b', 'up b']);
  });

  test('a paused process: gets its frames when it goes on, in order', () => {
    const world = new SimWorld(10);
    const [a, b] = pair(world);
    world.pause(b, 500);
    for (let number = 0; number < 50; number++) {
      a.send('b', numberedFrame(number, 10));
      world.run(11);
    }
    world.run(100);
    expect(numbers(b, 'a')).toEqual(upTo(50));
  });

  test('the same seed: the same run, event by event', () => {
    const logOf = (seed: number): string[] => {
      const world = new SimWorld(seed, { linkLifeMsMean: 200, spikeShare: 0.1, spikeMsMax: 50 });
      const [a, b] = pair(world);
      for (let turn = 0; turn < 500; turn++) {
        a.send('b', numberedFrame(turn, 10));
        b.send('a', numberedFrame(turn, 10));
        world.run(3);
      }
      return [...a.log, ...b.log, String(world.scheduler.eventCount)];
    };
    expect(logOf(11)).toEqual(logOf(11));
    expect(logOf(11)).not.toEqual(logOf(12));
  });
});
