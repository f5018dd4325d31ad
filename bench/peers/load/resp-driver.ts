/**
 * The Redis protocol over bare sockets, as cheaply as possible in this language: commands are encoded once for each
 * key, replies are counted and not decoded, and a lane has one connection to each node, like a client that routes by
 * slot.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { slotOf } from '../../../src/core/placement/slots.ts';
import { keyName, doorPorts, Values } from './driver.ts';
import type { Driver, OnAnswer, SlotRange } from './driver.ts';

const LF = 10;
const DOLLAR = 36;
const MINUS = 45;
const LINE_END = Buffer.from('\r\n');
const PLACES_MIN = 64;

export class RespDriver implements Driver {
  private readonly ports: readonly number[];
  private readonly portOfSlot: Uint8Array;
  private readonly onAnswer: OnAnswer;
  private readonly lanes: Line[][] = [];
  private readonly commandsOf = new Map<number, Commands>();
  private commands: Commands;

  constructor(ranges: readonly SlotRange[], onAnswer: OnAnswer) {
    this.ports = doorPorts(ranges);
    this.portOfSlot = new Uint8Array(16_384);
    for (const { from, to, port } of ranges) this.portOfSlot.fill(this.ports.indexOf(port), from, to + 1);
    this.onAnswer = onAnswer;
    this.commands = new Commands(0, this.portOfSlot);
  }

  async prepare(count: number): Promise<void> {
    while (this.lanes.length < count) {
      this.lanes.push(await Promise.all(this.ports.map((port) => Line.open(port, this.onAnswer))));
    }
  }

  use(valueBytes: number): void {
    const commands = this.commandsOf.get(valueBytes) ?? new Commands(valueBytes, this.portOfSlot);
    this.commandsOf.set(valueBytes, commands);
    this.commands = commands;
  }

  issue(lane: number, isPut: boolean, key: number, token: number): void {
    const { commands } = this;
    const command = commands.of(key);
    const line = this.lanes[lane]![command.place]!;
    if (isPut) line.add(command.set, commands.value(), token);
    else line.add(command.get, null, token);
  }

  flush(lane: number): void {
    for (const line of this.lanes[lane]!) line.flush();
  }

  close(): void {
    for (const line of this.lanes.flat()) line.close();
  }
}

interface Command {
  readonly place: number;
  readonly get: Buffer;
  /** Everything up to the value. */
  readonly set: Buffer;
}

class Commands {
  private readonly valueBytes: number;
  private readonly portOfSlot: Uint8Array;
  private readonly values: Values;
  private readonly commands: Command[] = [];

  constructor(valueBytes: number, portOfSlot: Uint8Array) {
    this.valueBytes = valueBytes;
    this.portOfSlot = portOfSlot;
    this.values = new Values(valueBytes);
  }

  of(key: number): Command {
    return (this.commands[key] ??= this.make(key));
  }

  value(): Buffer {
    return this.values.next();
  }

  private make(key: number): Command {
    const name = keyName(this.valueBytes, key);
    const bulk = `$${name.length}\r\n${name}\r\n`;
    return {
      place: this.portOfSlot[slotOf(name)]!,
      get: Buffer.from(`*2\r\n$3\r\nGET\r\n${bulk}`),
      set: Buffer.from(`*3\r\n$3\r\nSET\r\n${bulk}$${this.valueBytes}\r\n`),
    };
  }
}

class Line {
  private readonly socket: Socket;
  private readonly onAnswer: OnAnswer;
  private pieces: Buffer[] = [];
  /** Tokens of unanswered operations, in order; those before `answered` are done. */
  private tokens: number[] = [];
  private answered = 0;
  /** Bytes of a value that are still to come. */
  private skip = 0;
  private held: Buffer | null = null;

  static open(port: number, onAnswer: OnAnswer): Promise<Line> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new Line(socket, onAnswer)));
    });
  }

  private constructor(socket: Socket, onAnswer: OnAnswer) {
    this.socket = socket;
    this.onAnswer = onAnswer;
    socket.removeAllListeners('error');
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => this.onData(chunk));
    socket.on('close', () => {
      while (this.answered < this.tokens.length) this.answer('the connection was closed');
    });
  }

  add(command: Buffer, value: Buffer | null, token: number): void {
    this.pieces.push(command);
    if (value !== null) this.pieces.push(value, LINE_END);
    this.tokens.push(token);
  }

  flush(): void {
    const { pieces } = this;
    if (pieces.length === 0) return;
    this.pieces = [];
    this.socket.write(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces));
  }

  close(): void {
    this.socket.destroy();
  }

  private onData(received: Buffer): void {
    const chunk = this.held === null ? received : Buffer.concat([this.held, received]);
    this.held = null;
    let at = 0;
    while (at < chunk.length) {
      if (this.skip > 0) {
        const step = Math.min(this.skip, chunk.length - at);
        at += step;
        this.skip -= step;
        if (this.skip === 0) this.answer();
        continue;
      }
      const end = chunk.indexOf(LF, at);
      if (end < 0) {
        this.held = chunk.subarray(at);
        return;
      }
      this.onLine(chunk, at, end);
      at = end + 1;
    }
  }

  private onLine(chunk: Buffer, at: number, end: number): void {
    const type = chunk[at];
    if (type === MINUS) return this.answer(chunk.toString('latin1', at, end - 1));
    if (type !== DOLLAR) return this.answer();
    if (chunk[at + 1] === MINUS) return this.answer('there is no such key');
    let length = 0;
    for (let place = at + 1; place < end - 1; place += 1) length = length * 10 + chunk[place]! - 48;
    this.skip = length + 2;
  }

  private answer(fault?: string): void {
    const token = this.tokens[this.answered++]!;
    if (this.answered === this.tokens.length) {
      this.tokens.length = 0;
      this.answered = 0;
    } else if (this.answered >= PLACES_MIN && this.answered * 2 > this.tokens.length) {
      this.tokens = this.tokens.slice(this.answered);
      this.answered = 0;
    }
    this.onAnswer(token, fault);
  }
}
