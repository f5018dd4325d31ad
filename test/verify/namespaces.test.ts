/** Separate hosts on one machine: what is cut between them, what is not, and that nothing of them is left behind. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../support/supervisor-program.ts';
import { Namespaces } from '../../verify/chaos/namespaces.ts';

const whyNot = Namespaces.whyNot();
const PORT = 7_000;
/** An echo server that reports on the next port how much it has received. */
const ECHO = `
const net = require('node:net');
let bytes = 0;
net.createServer((socket) => socket.on('error', () => {}).on('data', (data) => {
  bytes += data.length;
  socket.write(data);
})).listen(${PORT}, process.argv[1], () => process.stdout.write('listens'));
net.createServer((socket) => socket.end(String(bytes))).listen(${PORT + 1}, process.argv[1]);
`;
/** Sends a byte every few milliseconds to the other host, and reports how many came back. */
const ASK = `
const net = require('node:net');
let echoed = 0;
let isClosed = false;
const socket = net.connect(${PORT}, process.argv[2]).on('data', (data) => (echoed += data.length));
socket.on('error', () => {}).on('close', () => (isClosed = true));
setInterval(() => socket.write('x'), 10);
net.createServer((asked) => asked.end(echoed + ' ' + isClosed)).listen(${PORT + 1}, process.argv[1], () =>
  process.stdout.write('listens'));
`;

let spaces: Namespaces;
let children: ChildProcess[];
beforeEach(() => {
  children = [];
});
afterEach(async () => {
  for (const child of children) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  spaces?.close();
});

async function runIn(node: string, text: string, ...words: string[]): Promise<void> {
  const { command } = spaces.add(node);
  const [program, ...begin] = command;
  const child = spawn(program!, [...begin, process.execPath, '-e', text, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  await once(child.stdout, 'data');
}

/** Called from outside. */
async function told(host: string): Promise<string> {
  const socket: Socket = connect(PORT + 1, host);
  let text = '';
  socket.on('data', (data: Buffer) => (text += data.toString()));
  await once(socket, 'close');
  return text;
}

const names = (): string[] =>
  execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.startsWith('causeway-'));

test.skipIf(whyNot !== null)(
  `one way is cut${whyNot === null ? '' : ` (not here: ${whyNot})`}: its packets vanish in silence, the outside reaches both, and when it heals the connection goes on`,
  async () => {
    spaces = new Namespaces();
    const [a, b] = [spaces.add('a').host, spaces.add('b').host];
    await runIn('b', ECHO, b);
    await runIn('a', ASK, a, b);
    const echoed = async (): Promise<number> => Number((await told(a)).split(' ')[0]);
    await until('bytes come back', async () => (await echoed()) > 5);

    const heal = spaces.cut([['b', 'a']]);
    const arrivedBefore = Number(await told(b));
    const before = await echoed();
    // What a sends still arrives; without answers TCP stops after a window.
    await until('bytes arrive', async () => Number(await told(b)) > arrivedBefore);
    expect(await told(a)).toMatch(/^\d+ false$/);
    const during = await echoed();
    expect(heal()).toBeGreaterThan(0);
    expect(heal()).toBe(0);
    expect(during - before).toBeLessThanOrEqual(2);
    await until('bytes come back again', async () => (await echoed()) > during + 5);
  },
);

test.skipIf(whyNot !== null)(
  'closed, or left behind by a process that was killed: nothing of it stays',
  () => {
    const left = 'causeway-999999999-1-1-n1';
    execFileSync('ip', ['netns', 'add', left]);
    spaces = new Namespaces();
    spaces.add('a');
    const mine = `causeway-${process.pid}-`;
    expect(names().some((name) => name.startsWith(left))).toBe(false);
    expect(names().filter((name) => name.startsWith(mine)).length).toBeGreaterThanOrEqual(3);
    spaces.close();
    expect(names().filter((name) => name.startsWith(mine))).toEqual([]);
    expect(execFileSync('ip', ['route'], { encoding: 'utf8' })).not.toContain(spaces.outside);
  },
);
