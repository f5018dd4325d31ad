/**
 * A temporary real Redis: on a port of its own, on this machine only, without persistence. If Redis is not installed,
 * the tests that compare with it say so.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RespConnection } from './connection.ts';
import { frameText } from './frame.ts';
import { commandBytes } from './play.ts';

const START_MS_MAX = 10_000;
const ATTEMPT_EVERY_MS = 20;

export interface RedisServer {
  readonly port: number;
  /** Runs one command, to prepare a sequence. Rejects if Redis replies with an error. */
  do(...words: string[]): Promise<string | undefined>;
  close(): Promise<void>;
}

/** For example 7.0.15; undefined if no Redis is installed. */
export function redisVersion(): string | undefined {
  const { stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
  return /v=(\d+\.\d+\.\d+)/.exec(stdout ?? '')?.[1];
}

/** 'cluster' means a cluster of this one server, which owns all slots. */
export async function startRedis(server: 'plain' | 'cluster'): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), 'causeway-redis-'));
  const port = await freePort();
  const child = spawn(
    'redis-server',
    [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', directory],
      ...['--save', '', '--appendonly', 'no', '--cluster-enabled', server === 'cluster' ? 'yes' : 'no'],
      // The cluster bus also needs a free port: by default it would be 10,000 above the other one.
      ...(server === 'cluster' ? ['--cluster-port', String(await freePort())] : []),
    ],
    { stdio: 'ignore' },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const close = async (): Promise<void> => {
    control?.close();
    child.kill('SIGKILL');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  };
  let control: RespConnection | undefined;
  const command = async (...words: string[]): Promise<string | undefined> => {
    control!.send(commandBytes(words.map((word) => Buffer.from(word))));
    const reply = await control!.reply(false);
    if (reply === 'closed' || (reply.kind === 'line' && reply.type === '-')) {
      throw new Error(`${words.join(' ')}: ${reply === 'closed' ? reply : reply.text}`);
    }
    return frameText(reply);
  };
  try {
    control = await connected(port, () => child.exitCode !== null);
    if (server === 'cluster') {
      await command('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
      while (!(await command('CLUSTER', 'INFO'))!.startsWith('cluster_state:ok')) await pause();
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { port, do: command, close };
}

async function connected(port: number, hasEnded: () => boolean): Promise<RespConnection> {
  const deadline = Date.now() + START_MS_MAX;
  for (;;) {
    try {
      return await RespConnection.open(port);
    } catch (error) {
      if (Date.now() > deadline || hasEnded()) throw error;
      await pause();
    }
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, ATTEMPT_EVERY_MS));

/** Chosen by the system and free again, because Redis cannot choose one itself. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
