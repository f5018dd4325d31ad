/** The fault proxy on real sockets: the effect of each kind of weather on bytes, on ends and on connections. */
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Direction } from '../../verify/chaos/direction.ts';
import { FaultProxy } from '../../verify/chaos/fault-proxy.ts';

const there = new Direction('there', () => 0.5);
const back = new Direction('back', () => 0.5);
let server: Server;
let proxy: FaultProxy;
/** What the called side has seen, connection by connection. */
let called: { text: string; events: string[]; socket: Socket }[] = [];
const callers: Socket[] = [];

beforeEach(async () => {
  called = [];
  server = createServer({ allowHalfOpen: true }, (socket) => {
    const seen = { text: '', events: [] as string[], socket };
    called.push(seen);
    socket.on('data', (bytes: Buffer) => {
      seen.text += bytes.toString();
      socket.write(`re:${bytes.toString()}`);
    });
    socket.on('end', () => seen.events.push('end'));
    socket.on('error', () => seen.events.push('error'));
    socket.on('close', () => seen.events.push('close'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  proxy = await FaultProxy.start({ host: '127.0.0.1', port }, there, back);
});

afterEach(async () => {
  for (const socket of callers.splice(0)) socket.destroy();
  for (const { socket } of called) socket.destroy();
  await proxy.close();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

function call(): { say: (text: string) => void; text: () => string; events: string[]; socket: Socket } {
  const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
  callers.push(socket);
  let text = '';
  const events: string[] = [];
  socket.on('connect', () => events.push('connect'));
  socket.on('data', (bytes: Buffer) => (text += bytes.toString()));
  socket.on('end', () => events.push('end'));
  socket.on('error', () => events.push('error'));
  socket.on('close', () => events.push('close'));
  return { say: (said) => void socket.write(said), text: () => text, events, socket };
}

async function until(met: () => boolean): Promise<void> {
  const end = performance.now() + 8_000;
  while (!met() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(met()).toBe(true);
}

/** Long enough for bytes to arrive on this machine if nothing is in their way. */
const passes = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60));

test('fair weather: bytes both ways, an end on one side leaves the other way open', async () => {
  const caller = call();
  caller.say('a');
  await until(() => caller.text() === 're:a');
  caller.socket.end();
  await until(() => called[0]!.events.includes('end'));
  called[0]!.socket.end('last');
  await until(() => caller.text() === 're:alast' && caller.events.includes('end'));
});

test('one direction held: the other goes on, and what was held arrives afterwards in order', async () => {
  const caller = call();
  caller.say('a');
  await until(() => caller.text() === 're:a');
  const end = there.add({ isHeld: true });
  caller.say('b');
  called[0]!.socket.write('unasked');
  await until(() => caller.text() === 're:aunasked');
  await passes();
  expect(called[0]!.text).toBe('a');
  expect(there.toll.heldPieces).toBeGreaterThan(0);
  caller.say('c');
  end();
  await until(() => called[0]!.text === 'abc');
});

test('a call while one direction is held: it comes about only when both are open', async () => {
  const end = back.add({ isHeld: true });
  const caller = call();
  caller.say('early');
  await passes();
  expect(called).toHaveLength(0);
  end();
  await until(() => caller.text() === 're:early');
});

test('the end of a process while its direction is held: the other side learns of it only afterwards', async () => {
  const caller = call();
  caller.say('a');
  await until(() => caller.text() === 're:a');
  const end = there.add({ isHeld: true });
  caller.socket.resetAndDestroy();
  await passes();
  expect(called[0]!.events).toEqual([]);
  end();
  await until(() => called[0]!.events.includes('close'));
});

test('replies swallowed: the request arrives, the reply never does, and the connection is reset at the end', async () => {
  const caller = call();
  caller.say('a');
  await until(() => caller.text() === 're:a');
  const end = back.add({ isSwallowed: true });
  caller.say('b');
  await until(() => called[0]!.text === 'ab' && back.toll.swallowedBytes === 4);
  expect(caller.text()).toBe('re:a');
  end();
  await until(() => caller.events.includes('error'));
  expect(caller.text()).toBe('re:a');
});

test('refused: connections that stand and new ones are reset', async () => {
  const caller = call();
  caller.say('a');
  await until(() => caller.text() === 're:a');
  const end = there.add({ isRefused: true });
  await until(() => caller.events.includes('close') && called[0]!.events.includes('close'));
  const second = call();
  await until(() => second.events.includes('close'));
  end();
  expect(called).toHaveLength(1);
  expect(there.toll.refused).toBe(2);
});

test('delay: a piece arrives that much later, and none overtakes another', async () => {
  const caller = call();
  caller.say('a');
  await until(() => caller.text() === 're:a');
  const end = there.add({ delayMs: 120, jitterMs: 30 });
  const startedAt = performance.now();
  for (const piece of ['b', 'c', 'd', 'e']) {
    caller.say(piece);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  await until(() => called[0]!.text === 'abcde');
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(119);
  end();
});

test('loss: nothing is missing, it is late by what TCP waits; without chance of loss nothing is late', async () => {
  const dice = [0.5, 0.05, 0.5];
  const lossy = new Direction('lossy', () => dice.shift() ?? 0.5);
  lossy.add({ lossShare: 0.1 });
  expect([lossy.drawDelayMs(), lossy.drawDelayMs()]).toEqual([0, 200]);
  expect(lossy.toll.lostPieces).toBe(1);
});

test('throttle: so many bytes a second', async () => {
  const caller = call();
  caller.say('a');
  await until(() => caller.text() === 're:a');
  const end = there.add({ bytesPerSecond: 10_000 });
  const startedAt = performance.now();
  caller.say('x'.repeat(3_000));
  await until(() => called[0]!.text.length === 3_001);
  caller.say('y');
  await until(() => called[0]!.text.endsWith('y'));
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(290);
  end();
});

test('half closed: the called side sees an end, the caller nothing', async () => {
  const caller = call();
  caller.say('a');
  await until(() => caller.text() === 're:a');
  expect(proxy.halfCloseAll()).toBe(1);
  await until(() => called[0]!.events.includes('end'));
  called[0]!.socket.write('still here');
  await until(() => caller.text() === 're:astill here');
  expect(caller.events).toEqual(['connect']);
});

test('two faults in one direction: the first to end leaves the other in force', async () => {
  const caller = call();
  caller.say('a');
  await until(() => caller.text() === 're:a');
  const [first, second] = [there.add({ isHeld: true }), there.add({ isHeld: true })];
  first();
  first();
  caller.say('b');
  await passes();
  expect(called[0]!.text).toBe('a');
  second();
  await until(() => called[0]!.text === 'ab');
});
