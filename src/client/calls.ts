/** Calls to the nodes, with the client's time limit for calls that set none. */
import { OPERATION_TIMEOUT_MS_DEFAULT } from '../core/limits.ts';
import { boundOf } from './bound.ts';
import type { Bound } from './bound.ts';
import { Nodes } from './nodes.ts';
import type { Method } from './nodes.ts';
import type { CallOptions, ConnectOptions } from './options.ts';

export class Calls {
  readonly nodes: Nodes;
  readonly #timeoutMs: number;

  constructor(options: ConnectOptions) {
    this.nodes = new Nodes(options);
    this.#timeoutMs = options.timeoutMs ?? OPERATION_TIMEOUT_MS_DEFAULT;
  }

  bound(options: CallOptions): Bound {
    return boundOf(options, this.#timeoutMs);
  }

  call<Fields, Decoded>(
    method: Method<Fields, Decoded>,
    request: Fields,
    options: CallOptions,
  ): Promise<Decoded> {
    return this.nodes.call(method, request, this.bound(options));
  }

  /** Calls this particular node and no other. */
  at<Fields, Decoded>(
    address: string,
    method: Method<Fields, Decoded>,
    request: Fields,
    options: CallOptions,
  ): Promise<Decoded> {
    return this.nodes.callAt(address, method, request, this.bound(options));
  }
}
