/**
 * The transport on real sockets: the contract of its port, and what only real processes and networks can do to a link.
 */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Server } from '@grpc/grpc-js';
import { expect } from 'vitest';
import { PEER_SERVER_OPTIONS, createGrpcTransport } from './transport.ts';
import { TestPeer, transportContract } from '../../../test/contracts/transport.ts';
import type { PeerOptions, TransportWorld } from '../../../test/contracts/transport.ts';
import { bind } from '../../../test/support/start-peer.ts';
import { Prng } from '../../base/prng.ts';
import type { LinkTiming } from './peer-dialer.ts';

const FAST: Partial<LinkTiming> = {
  backOffMsMin: 20,
  backOffMsMax: 60,
  handshakeMsMax: 400,
  aliveEveryMs: 60,
};

class SocketWorld implements TransportWorld {
  private readonly byLibrary: boolean;
  private readonly servers = new Map<TestPeer, Server>();
  private readonly ports = new Map<string, number>();
  private readonly prng = new Prng(1);

  constructor(byLibrary: boolean) {
    this.byLibrary = byLibrary;
  }

  async add(name: string, options: PeerOptions = {}): Promise<TestPeer> {
    const server = new Server(PEER_SERVER_OPTIONS);
    const { maxQueueBytes } = options;
    const transport = createGrpcTransport({
      server,
      random: this.prng,
      timing: FAST,
      ...(maxQueueBytes === undefined ? {} : { maxQueueBytes }),
    });
    const peer = new TestPeer(name, transport, options);
    const address = await this.addressOf(name);
    await bind(server, address);
    if (!this.byLibrary) expect(transport.onBound()).toBe(true);
    this.servers.set(peer, server);
    return peer;
  }

  async addressOf(name: string): Promise<string> {
    const port = this.ports.get(name) ?? (await freePort());
    this.ports.set(name, port);
    return `127.0.0.1:${port}`;
  }

  kill(peer: TestPeer): void {
    this.servers.get(peer)?.forceShutdown();
    this.servers.delete(peer);
    peer.close(() => {});
  }

  async until(condition: () => boolean): Promise<boolean> {
    const end = performance.now() + 10_000;
    while (!condition() && performance.now() < end) await this.pass(5);
    return condition();
  }

  pass(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  async end(): Promise<void> {
    const peers = [...this.servers.keys()];
    await Promise.all(peers.map((peer) => new Promise<void>((resolve) => peer.close(resolve))));
    for (const server of this.servers.values()) server.forceShutdown();
  }
}

/** A port that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

transportContract('links taken from HTTP/2', () => new SocketWorld(false));
transportContract('links by way of grpc-js', () => new SocketWorld(true));
