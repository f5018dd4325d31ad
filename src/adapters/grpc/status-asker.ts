/**
 * Asks other members how they are, over the door that their operators use: for who shows the whole cluster, at its
 * own pace. A member that is down costs nothing but a refused connection now and then.
 */
import { Client, credentials } from '@grpc/grpc-js';
import { causeway } from '../../gen/protocol.js';

const STATUS = '/causeway.v1.Admin/Status';
const CHANNEL_OPTIONS = {
  'grpc.initial_reconnect_backoff_ms': 500,
  'grpc.max_reconnect_backoff_ms': 2_000,
  // A name's records must not make the library repeat calls.
  'grpc.service_config_disable_resolution': 1,
};

export class StatusAsker {
  private readonly clients = new Map<string, Client>();
  private readonly dialAt: ReadonlyMap<string, string>;

  /** `dialAt`: by a member's name, where it is dialled, if not at its own address. */
  constructor(dialAt: ReadonlyMap<string, string>) {
    this.dialAt = dialAt;
  }

  /** `done` is called once, within `timeoutMs`: with what it tells, as JSON, or null where it does not answer. */
  ask(name: string, known: string, timeoutMs: number, done: (json: string | null) => void): void {
    const { StatusRequest, StatusResponse } = causeway.v1;
    this.clientOf(this.dialAt.get(name) ?? known).makeUnaryRequest(
      STATUS,
      (request: object) => Buffer.from(StatusRequest.encode(request).finish()),
      (bytes: Buffer) => StatusResponse.decode(bytes),
      {},
      { deadline: Date.now() + timeoutMs },
      (error, answer) => done(error === null && answer !== undefined ? answer.json : null),
    );
  }

  /** Hangs up; asked again, it dials anew. */
  close(): void {
    for (const client of this.clients.values()) client.close();
    this.clients.clear();
  }

  private clientOf(address: string): Client {
    let client = this.clients.get(address);
    if (client === undefined) {
      client = new Client(address, credentials.createInsecure(), CHANNEL_OPTIONS);
      this.clients.set(address, client);
    }
    return client;
  }
}
