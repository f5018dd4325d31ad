/**
 * Dispatches messages from peers. Membership gets everything that does not depend on the epoch; messages that do are
 * handled only if their sender acts in our epoch, as the process that the epoch knows. (PROTOCOL R11, R13)
 */
import { isCurrent, isEarly, isHeard } from '../../core/membership/hearing.ts';
import type { KeyWatch } from '../../core/clients/key-watch.ts';
import type { FrameHeader, PeerMessage } from '../../core/message.ts';
import type { Replica } from '../../core/replication/replica.ts';
import { PEER_LINES_PER_SECOND_MAX } from '../../core/limits.ts';
import { slotOf } from '../../core/placement/slots.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import { decodeFrame } from '../../wire/message-codec.ts';
import type { Background } from '../background.ts';
import { LineRate } from '../line-rate.ts';
import { EarlyMessages } from './early-messages.ts';
import type { ForwardService } from './forward-service.ts';
import type { Forwarder } from './forwarder.ts';
import type { Learner } from '../learning/learner.ts';
import type { Membership } from '../membership/membership.ts';
import type { NodeTraces } from '../tracing/node-traces.ts';
import type { Spool } from '../spool/spool.ts';
import type { Teacher } from '../learning/teacher.ts';

export interface FrameDeskParts {
  readonly clock: Pick<Clock, 'now' | 'after'>;
  readonly telemetry: Telemetry;
  readonly membership: Membership;
  readonly teacher: Teacher;
  readonly learner: Learner;
  readonly forwarder: Forwarder;
  readonly forwardService: ForwardService;
  readonly background: Background;
  readonly spool: Spool;
  readonly keyWatch: KeyWatch;
  readonly traces: NodeTraces | null;
  readonly replica: () => Replica | null;
  /** The highest protocol version that this node speaks. */
  readonly protocolMax: number;
  readonly dropEpochCheck: boolean;
}

export class FrameDesk {
  private readonly parts: FrameDeskParts;
  private readonly early = new EarlyMessages((name, header, message) =>
    this.onMessage(name, header, message),
  );

  private readonly lines: LineRate;

  constructor(parts: FrameDeskParts) {
    this.parts = parts;
    this.lines = new LineRate(PEER_LINES_PER_SECOND_MAX, parts.clock, (count) =>
      parts.telemetry.event('warn', 'peer.lines_left_out', { count }),
    );
  }

  onRefused(name: string, reason: string): void {
    if (this.lines.mayTell()) this.parts.telemetry.event('warn', 'peer.refused', { peer: name, reason });
  }

  onFrame(name: string, frame: Uint8Array): void {
    const decoded = decodeFrame(frame, this.parts.protocolMax);
    if ('fault' in decoded) {
      if (this.lines.mayTell())
        this.parts.telemetry.event('error', 'peer.frame_damaged', { peer: name, fault: decoded.fault });
      // The peer may have announced a change that a client here must be told, and will not announce it again. (decision
      // 23)
      this.parts.keyWatch.abroad.lose(name);
      return;
    }
    const { header, messages } = decoded;
    const isTrusted = this.parts.membership.onFrame(name, header);
    // An epoch may have begun, or have been chosen, here since.
    this.hearEarly();
    for (const message of messages) {
      const isKept = isTrusted && !this.parts.dropEpochCheck;
      if (isKept && isEarly(this.parts.membership.topology, header, message))
        this.early.keep(name, header, message, frame.length / messages.length);
      else this.onMessage(name, header, message);
      this.hearEarly();
    }
    this.parts.teacher.answerPulls();
  }

  /** Kept messages are handled before whatever follows on their link. */
  private hearEarly(): void {
    if (this.early.count > 0) this.early.onEpoch(this.parts.membership.topology?.epoch ?? 0);
  }

  /** No further messages of the peer's process will come. */
  onPeerGone(name: string): void {
    this.early.forget(name);
    this.parts.membership.onPeerGone(name);
    this.parts.keyWatch.abroad.lose(name);
    this.parts.forwarder.onLost(name);
  }

  // long: one line or two for each kind of message
  private onMessage(name: string, header: FrameHeader, message: PeerMessage): void {
    const { topology } = this.parts.membership;
    if (!isHeard(topology, header, message) && !this.parts.dropEpochCheck) return;
    const { membership, teacher, learner, forwarder, forwardService, traces } = this.parts;
    // Looked up for each message, because an earlier message of the frame may have brought a new epoch.
    const replica = this.parts.replica();
    switch (message.kind) {
      case 'invalidate': {
        const slot = slotOf(message.sealed.record.key);
        if (traces === null) return replica?.onMessage(header.from, slot, message);
        return traces.incoming(message, () => replica?.onMessage(header.from, slot, message));
      }
      case 'acknowledge':
        traces?.acknowledged(header.from, message);
        return replica?.onMessage(header.from, 0, message);
      case 'validate':
      case 'query':
      case 'queryAnswer':
        return replica?.onMessage(header.from, slotOf(message.key), message);
      // Heartbeats are frequent, so they are checked before the rare kinds.
      case 'heartbeat':
        if (isCurrent(topology, header)) this.parts.background.peerClocks.heard(header.from, message.wallAt);
        return membership.onMessage(name, header, message);
      case 'heartbeatAnswer':
        return membership.onMessage(name, header, message);
      case 'learnDigests':
        return replica === null ? undefined : teacher.onDigests(header.from, replica, message);
      case 'learnPull':
        return replica === null ? undefined : teacher.onPull(header.from, replica, message);
      case 'learnOperations':
        return replica === null ? undefined : teacher.onOperations(header.from, replica, message);
      case 'learnUntold':
        return replica === null ? undefined : teacher.onUntold(header.from, replica, message);
      case 'learnSpool':
      case 'learnSpoolFrame':
      case 'spoolDrained':
        return this.parts.spool.onMessage(header.from, message);
      case 'learnDifferences':
      case 'learnFrame':
      case 'learnOperationsFrame':
      case 'learnRefused':
      case 'learnUntoldFrame':
        return learner.onMessage(header.from, message);
      case 'driven':
        return membership.proposals.recordNews.sawDriven(header.from, header.epoch, message.drive);
      case 'repairPull':
        return this.parts.background.repair.onPull(header.from, message);
      case 'repairRecord':
        return this.parts.background.onRepairRecord(header.from, message);
      case 'scrubDigests':
      case 'scrubDifferences':
      case 'scrubPull':
      case 'scrubPage':
        return this.parts.background.scrubber.onMessage(header.from, message);
      case 'repairAbsent':
        return this.parts.background.onRepairAbsent(header.from, message);
      case 'floorRaise':
      case 'floorRaised':
      case 'deletionsForget':
        return this.parts.background.collector.onMessage(header.from, message);
      case 'forwardRead':
      case 'forwardWrite':
      case 'forwardScan':
        return forwardService.onRequest(name, message);
      case 'forwardReadAnswer':
        return forwarder.onReadAnswer(message);
      case 'forwardWriteAnswer':
        return forwarder.onWriteAnswer(message.request, message.result);
      case 'forwardScanAnswer':
        return forwarder.onScanAnswer(message.request, message.result);
      case 'watchAsk':
      case 'watchHeard':
      case 'watchTold':
      case 'watchAllTold':
        return this.parts.keyWatch.onMessage(name, header.from, message);
      case 'stopAsk':
      case 'stopAnswer':
      case 'stopWord':
        return this.parts.background.stops.onMessage(header, message);
      case 'forwardCount':
        return forwardService.onCount(name, message);
      case 'forwardCountAnswer':
        return forwarder.onCountAnswer(message.request, message.result);
      default:
        return membership.onMessage(name, header, message);
    }
  }
}
