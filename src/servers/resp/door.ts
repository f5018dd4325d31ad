/** What all connections of one Redis door share: the node, the settings, the list of clients, and counters. */
import {
  RESP_INPUT_BYTES_TOTAL_MAX,
  RESP_KEPT_BYTES_TOTAL_MAX,
  RESP_LINGER_MS,
  RESP_OUTPUT_BYTES_TOTAL_MAX,
} from '../../core/clients/redis-limits.ts';
import type { NodeApi } from '../../node/api.ts';
import type { Tracing } from '../../ports/tracing.ts';
import type { Client } from './client.ts';
import { MapReplies } from './cluster-map.ts';
import { CommandCounts } from './command-counts.ts';
import { LatencyEvents } from './latency-events.ts';
import { RecentUse } from './recent-use.ts';
import { ScanPlaces } from './scan-places.ts';
import { SlowCommands } from './slow-commands.ts';
import { Turns } from './turns.ts';
import { TrackingDesk } from './tracking.ts';

/** The replies of one turn are first written into this buffer; longer ones get memory of their own. */
const SCRATCH_BYTES = 64 * 1024;

export interface RespSettings {
  /** Null if no password is required. */
  readonly password: string | null;
  readonly valueBytesMax: number;
  readonly mayFlush: boolean;
  /** Milliseconds; 0 means no limit. */
  readonly idleMsMax: number;
  readonly connectionsMax: number;
  /**
   * Configured addresses (host:port) of members' Redis doors, by member name; they override what the members report.
   */
  readonly addresses: ReadonlyMap<string, string>;
  readonly nodeName: string;
  /**
   * Commands that take at least this many milliseconds are kept as slow, unless CONFIG SET changes it; 0 keeps none.
   */
  readonly slowMs: number;
  /** Number of owners of each key. */
  readonly replicas: number;
  /** If omitted or null, nothing is traced. */
  readonly tracing?: Tracing | null;
}

export class Door {
  readonly api: NodeApi;
  readonly settings: RespSettings;
  readonly password: string | null;
  readonly valueBytesMax: number;
  readonly clients = new Map<number, Client>();
  readonly scanPlaces = new ScanPlaces();
  readonly mapReplies = new MapReplies();
  readonly turns = new Turns();
  readonly tracking: TrackingDesk;
  readonly slowCommands: SlowCommands;
  readonly latency = new LatencyEvents();
  readonly startedAt = Date.now();
  readonly commandCounts = new CommandCounts();
  readonly recentUse = new RecentUse();
  /** `hits` and `misses` count reads of present and absent keys. */
  readonly counts = {
    ...{ commands: 0, connections: 0, rejected: 0, cut: 0 },
    ...{ inputBytes: 0, outputBytes: 0, hits: 0, misses: 0 },
  };
  /** Milliseconds on a clock that is updated now and then. */
  now = performance.now();
  /** Bytes held for incomplete or waiting commands, over all connections. */
  inputBytes = 0;
  /** Bytes kept between commands, over all connections. */
  keptBytes = 0;
  /** Bytes of replies that were not taken yet, over all connections. */
  outputBytes = 0;
  /** Commands over the whole key space that are under way. */
  sweeps = 0;
  /** The port on which this door listens. */
  port = 0;
  scratch: Buffer = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  /** Milliseconds; 0 means no limit. */
  idleMsMax: number;
  lingerMs = RESP_LINGER_MS;
  connectionsMax: number;
  private nextId = 1;

  constructor(api: NodeApi, settings: RespSettings) {
    this.api = api;
    this.settings = settings;
    this.password = settings.password;
    this.valueBytesMax = settings.valueBytesMax;
    this.idleMsMax = settings.idleMsMax;
    this.connectionsMax = settings.connectionsMax;
    this.tracking = new TrackingDesk(this);
    this.slowCommands = new SlowCommands(settings.slowMs === 0 ? -1 : settings.slowMs * 1_000);
  }

  idOfNext(): number {
    this.counts.connections += 1;
    return this.nextId++;
  }

  onRead(isThere: boolean): void {
    if (isThere) this.counts.hits += 1;
    else this.counts.misses += 1;
  }

  onClosed(client: Client): void {
    this.clients.delete(client.id);
    this.tracking.turnOff(client);
  }

  isInputFull(): boolean {
    return this.inputBytes > RESP_INPUT_BYTES_TOTAL_MAX;
  }

  isKeptFull(): boolean {
    return this.keptBytes >= RESP_KEPT_BYTES_TOTAL_MAX;
  }

  isOutputFull(): boolean {
    return this.outputBytes >= RESP_OUTPUT_BYTES_TOTAL_MAX;
  }

  renewScratch(): void {
    this.scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  }

  /** Runs `run` once everything that this turn of the event loop brought has been handled. */
  atTurnsEnd(run: () => void): void {
    this.turns.atEnd(run);
  }
}
