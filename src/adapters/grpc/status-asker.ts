/**
 * Asks other members for their status, over the same port that operators use; for a caller that shows the whole
 * cluster, at its own pace. A member that is down costs no more than a refused connection now and then.
 */
import { Client, credentials } from '@grpc/grpc-js';
import { causeway } from '../../gen/protocol.js';

const STATUS = '/causeway.v1.Admin/Status';
const CHANNEL_OPTIONS = {
  'grpc.initial_reconnect_backoff_ms': 500,
  'grpc.max_reconnect_backoff_ms': 2_000,
  // DNS TXT records must not configure retries in grpc-js.
  'grpc.service_config_disable_resolution': 1,
};

export class StatusAsker {
  private readonly clients = new Map<string, Client>();
  private readonly dialAt: ReadonlyMap<string, string>;

  /** `dialAt` maps a member's name to where it is dialled, if that is not its own address. */
  constructor(dialAt: ReadonlyMap<string, string>) {
    this.dialAt = dialAt;
  }

  /** Calls `done` once, within `timeoutMs`: with the status as JSON, or with null if the member does not answer. */
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

  /** Closes the connections; the next `ask` dials anew. */
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
