/**
 * etcd over gRPC: puts, and reads that are linearizable by default; all members are asked in turn, as etcd's clients
 * do.
 */
import { Client, credentials } from '@grpc/grpc-js';
import protobuf from 'protobufjs/minimal.js';
import { keyName, Values } from './driver.ts';
import type { Driver, OnAnswer } from './driver.ts';

/** Field numbers of etcd's `rpc.proto`: key and value of a request, the count in a range response. */
const KEY = (1 << 3) | 2;
const VALUE = (2 << 3) | 2;
const COUNT_FIELD = 4;

interface Request {
  readonly key: string;
  readonly value: Buffer | null;
}

export class EtcdDriver implements Driver {
  private readonly clients: readonly Client[];
  private readonly onAnswer: OnAnswer;
  private valueBytes = 0;
  private values = new Values(0);

  constructor(addresses: readonly string[], onAnswer: OnAnswer) {
    this.clients = addresses.map((address) => new Client(address, credentials.createInsecure()));
    this.onAnswer = onAnswer;
  }

  async prepare(): Promise<void> {
    const giveUpAt = Date.now() + 10_000;
    const ready = (client: Client): Promise<void> =>
      new Promise((resolve, reject) =>
        client.waitForReady(giveUpAt, (error) => (error === undefined ? resolve() : reject(error))),
      );
    await Promise.all(this.clients.map(ready));
  }

  use(valueBytes: number): void {
    this.valueBytes = valueBytes;
    this.values = new Values(valueBytes);
  }

  issue(lane: number, isPut: boolean, key: number, token: number): void {
    const client = this.clients[(lane + token) % this.clients.length]!;
    const request = { key: keyName(this.valueBytes, key), value: isPut ? this.values.next() : null };
    client.makeUnaryRequest(
      isPut ? '/etcdserverpb.KV/Put' : '/etcdserverpb.KV/Range',
      encode,
      isPut ? () => true : hasFound,
      request,
      (error, found) => {
        if (error === null) this.onAnswer(token, found === true ? undefined : 'there is no such key');
        else this.onAnswer(token, error.message);
      },
    );
  }

  flush(): void {}

  close(): void {
    for (const client of this.clients) client.close();
  }
}

function encode({ key, value }: Request): Buffer {
  const writer = protobuf.Writer.create().uint32(KEY).string(key);
  if (value !== null) writer.uint32(VALUE).bytes(value);
  return writer.finish() as Buffer;
}

function hasFound(answer: Buffer): boolean {
  const reader = protobuf.Reader.create(answer);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === COUNT_FIELD) return reader.uint32() > 0;
    reader.skipType(tag & 7);
  }
  return false;
}
