/**
 * Frames between members, by name. One directed link leads from this node to each peer it dials.
 *
 * Promises: on one link frames arrive whole, once and in order. Does not promise that they arrive: when a
 * link goes down, any number of the last frames sent on it may or may not have arrived, and what `send`
 * accepted is forgotten. Callbacks never come from within a call of this port.
 */
export interface Transport {
  /** Begins to listen; events are reported to `handler` from then on. Called once. */
  start(hello: PeerHello, handler: TransportHandler): void;
  /** Keeps a link to the peer up until `forget`, redialling forever with back-off. */
  dial(name: string, address: string): void;
  forget(name: string): void;
  /** False if no link is up or its queue is full (which cuts the link): the frame was not accepted. */
  send(name: string, frame: Uint8Array): boolean;
  /** Bytes accepted for the peer and not yet handed to the network. */
  queuedBytes(name: string): number;
  close(done: () => void): void;
}

export interface TransportHandler {
  /**
   * Our link to the peer is up: frames sent from now on may reach it, and are encoded in this version, which both sides
   * speak.
   */
  onLinkUp(name: string, protocol: number): void;
  onLinkDown(name: string, reason: string): void;
  /** A frame from the peer named in the handshake of its link. */
  onFrame(name: string, frame: Uint8Array): void;
  /** The peer's link to us is gone: nothing more will arrive of what it had sent. */
  onPeerGone(name: string): void;
  /** Either side refused the handshake; dialling continues, with back-off. */
  onRefused(name: string, reason: string): void;
}

/**
 * Sent at the start of every link, as it is at that time; a side that does not agree refuses and names the difference.
 * `protocolMin` may rise while the process runs.
 */
export interface PeerHello {
  readonly name: string;
  readonly clusterName: string;
  readonly protocolMin: number;
  readonly protocolMax: number;
  /** Settings that all members must share, as text by name. */
  readonly settings: Readonly<Record<string, string>>;
}
