/**
 * A TCP proxy between one caller and one destination, through which each direction can be held, slowed, starved, reset
 * and half closed. A connection through it is established only while both directions are open, as a handshake needs
 * both.
 */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Direction } from './direction.ts';
import { Pipe, resetSocket } from './pipe.ts';

export interface Target {
  readonly host: string;
  readonly port: number;
}

class Passage {
  readonly near: Socket;
  far: Socket | null = null;
  pipes: Pipe[] = [];

  constructor(near: Socket) {
    this.near = near;
  }

  get hasLost(): boolean {
    return this.pipes.some(({ hasLost }) => hasLost);
  }
}

export class FaultProxy {
  readonly forward: Direction;
  readonly backward: Direction;
  port = 0;
  private readonly target: Target;
  private readonly server: Server;
  private readonly passages = new Set<Passage>();
  private readonly unwatch: (() => void)[];

  /** `host`: the address on which it listens. */
  static async start(
    target: Target,
    forward: Direction,
    backward: Direction,
    host = '127.0.0.1',
  ): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, forward, backward);
    await new Promise<void>((resolve, reject) => {
      proxy.server.once('error', reject);
      proxy.server.listen(0, host, resolve);
    });
    proxy.port = (proxy.server.address() as AddressInfo).port;
    return proxy;
  }

  private constructor(target: Target, forward: Direction, backward: Direction) {
    this.target = target;
    this.forward = forward;
    this.backward = backward;
    this.server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.accept(near));
    this.unwatch = [forward, backward].map((direction) => direction.watch(() => this.onWeather()));
  }

  get connectionCount(): number {
    return this.passages.size;
  }

  /** Returns how many connections were affected. */
  resetAll(): number {
    const { size } = this.passages;
    for (const passage of [...this.passages]) this.reset(passage);
    return size;
  }

  /** The called side sees the end of each stream, and the caller notices nothing; returns how many were affected. */
  halfCloseAll(): number {
    let count = 0;
    for (const { pipes } of this.passages) {
      pipes[0]?.halfClose();
      count += pipes.length > 0 ? 1 : 0;
    }
    return count;
  }

  async close(): Promise<void> {
    for (const unwatch of this.unwatch) unwatch();
    for (const passage of [...this.passages]) this.drop(passage);
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private accept(near: Socket): void {
    const passage = new Passage(near);
    this.passages.add(passage);
    near.on('error', () => {});
    near.on('close', () => {
      if (passage.far === null) this.passages.delete(passage);
    });
    this.tryConnect(passage);
  }

  private tryConnect(passage: Passage): void {
    const { forward, backward } = this;
    if (forward.isRefused || backward.isRefused) return this.refuse(passage);
    const isOpen = ![forward, backward].some(({ isHeld, isSwallowed }) => isHeld || isSwallowed);
    if (!isOpen) {
      forward.toll.heldPieces += forward.isHeld ? 1 : 0;
      backward.toll.heldPieces += backward.isHeld ? 1 : 0;
      return;
    }
    const { near } = passage;
    const far = connect({ ...this.target, allowHalfOpen: true, noDelay: true });
    passage.far = far;
    far.on('error', () => {});
    passage.pipes = [new Pipe(near, far, forward), new Pipe(far, near, backward)];
    for (const socket of [near, far]) {
      socket.on('close', () => {
        if (near.closed && far.closed) this.drop(passage);
      });
    }
  }

  private refuse(passage: Passage): void {
    for (const direction of [this.forward, this.backward]) {
      if (direction.isRefused) direction.toll.refused += 1;
    }
    this.reset(passage);
  }

  private onWeather(): void {
    const directions = [this.forward, this.backward];
    for (const passage of [...this.passages]) {
      if (directions.some(({ isRefused }) => isRefused)) this.refuse(passage);
      else if (passage.far === null) this.tryConnect(passage);
      else if (passage.hasLost && !directions.some(({ isSwallowed }) => isSwallowed)) this.reset(passage);
    }
  }

  private reset(passage: Passage): void {
    this.forward.toll.resets += 1;
    resetSocket(passage.near);
    if (passage.far !== null) resetSocket(passage.far);
    this.drop(passage);
  }

  private drop(passage: Passage): void {
    this.passages.delete(passage);
    for (const pipe of passage.pipes) pipe.close();
    passage.near.destroy();
    passage.far?.destroy();
  }
}
