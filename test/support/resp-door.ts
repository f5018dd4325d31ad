/**
 * A Redis door in front of a node that keeps its records in a map, and a connection that sends lines and receives raw
 * bytes, for tests of what is on the wire.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { openRespServer } from '../../src/servers/resp/server.ts';
import type { RespServer } from '../../src/servers/resp/server.ts';
import type { RespSettings } from '../../src/servers/resp/door.ts';
import { FakeNodeApi } from './fake-node-api.ts';

export interface RespFixture {
  readonly api: FakeNodeApi;
  readonly server: RespServer;
  connect(): Promise<RespLine>;
  stop(): Promise<void>;
}

const SETTINGS: RespSettings = {
  password: null,
  valueBytesMax: 1024 * 1024,
  mayFlush: true,
  idleMsMax: 0,
  connectionsMax: 100,
  addresses: new Map(),
  nodeName: 'fake',
  slowMs: 500,
  replicas: 3,
};

export async function openRespDoor(changes: Partial<RespSettings> = {}): Promise<RespFixture> {
  const api = new FakeNodeApi();
  const server = await openRespServer(api, '127.0.0.1', 0, { ...SETTINGS, ...changes });
  const lines: RespLine[] = [];
  return {
    api,
    server,
    connect: async () => {
      const line = await RespLine.open(server.port);
      lines.push(line);
      return line;
    },
    stop: async () => {
      for (const line of lines) line.close();
      await server.close();
    },
  };
}

const WAIT_MS_MAX = 20_000;
const LOOK_EVERY_MS = 10;

/** A command as its bytes; words may contain any one-byte characters. */
export const call = (...words: readonly string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;

export class RespLine {
  readonly socket: Socket;
  isEnded = false;
  private heard = '';
  private onNews: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => {
      this.heard += bytes.toString('latin1');
      this.onNews();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isEnded = true;
      this.onNews();
    });
  }

  static open(port: number): Promise<RespLine> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('error', reject);
      socket.once('connect', () => resolve(new RespLine(socket)));
    });
  }

  /** Words are separated by spaces; `'a b'` is one word. */
  send(...calls: readonly string[]): void {
    this.socket.write(calls.map((call) => `${call}\r\n`).join(''), 'latin1');
  }

  raw(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Waits for exactly these bytes; returns what came instead if it was different. */
  async hears(text: string): Promise<string> {
    await this.until(() => this.heard.length >= text.length);
    const got = this.heard.slice(0, text.length);
    this.heard = this.heard.slice(text.length);
    return got === text ? text : got + this.heard;
  }

  /** Sends one command; returns the first line of its reply, or the whole of a bulk string. */
  async ask(call: string): Promise<string> {
    this.send(call);
    return this.reply();
  }

  async reply(): Promise<string> {
    await this.until(() => this.heard.includes('\r\n'));
    const end = this.heard.indexOf('\r\n');
    const head = this.heard.slice(0, end);
    const length = /^[$=](\d+)$/.exec(head)?.[1];
    if (length === undefined) {
      this.heard = this.heard.slice(end + 2);
      return head;
    }
    const whole = end + 2 + Number(length) + 2;
    await this.until(() => this.heard.length >= whole);
    const value = this.heard.slice(end + 2, whole - 2);
    this.heard = this.heard.slice(whole);
    return value;
  }

  get unread(): string {
    return this.heard;
  }

  async until(isSo: () => boolean): Promise<void> {
    const deadline = Date.now() + WAIT_MS_MAX;
    while (!isSo()) {
      const leftMs = deadline - Date.now();
      if (this.isEnded || leftMs <= 0) {
        throw new Error(`nothing more came after ${JSON.stringify(this.heard.slice(0, 200))}`);
      }
      await new Promise<void>((resolve) => {
        // What is waited for may also be visible only at the other end.
        const timer = setTimeout(resolve, Math.min(leftMs, LOOK_EVERY_MS));
        this.onNews = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  close(): void {
    this.socket.destroy();
  }
}
