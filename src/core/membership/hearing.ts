/**
 * Which messages a node accepts. Messages that depend on the epoch are exchanged only between members acting in the
 * same epoch, as the very processes that the epoch knows: an older message may date from before a disk was lost, or
 * come from a member that does not know of a learner. (PROTOCOL R4, R11, R13)
 */
import type { FrameHeader, PeerMessage } from '../message.ts';
import { isLiveIncarnation } from './topology.ts';
import type { Topology } from './topology.ts';

/** `topology`: the one in which the receiver acts; null if it acts in none. */
export function isHeard(topology: Topology | null, header: FrameHeader, message: PeerMessage): boolean {
  // Usually the sender is current, and that is quicker to check.
  return isCurrent(topology, header) || !needsEpoch(message);
}

/**
 * True if the sender acts in an epoch that the receiver does not know yet. Its topology is on the way, so the message
 * is kept until then. If it were dropped, it would be missing until the sender repeats it, which takes far longer than
 * an epoch change.
 */
export function isEarly(topology: Topology | null, header: FrameHeader, message: PeerMessage): boolean {
  return header.epoch > (topology?.epoch ?? 0) && needsEpoch(message);
}

/** True if the sender acts in the receiver's epoch, as the process that this epoch knows. */
export function isCurrent(topology: Topology | null, header: FrameHeader): boolean {
  return (
    topology !== null &&
    header.epoch === topology.epoch &&
    isLiveIncarnation(topology, header.from, header.incarnation)
  );
}

/** False for messages that are meaningful whatever epoch their sender acts in. */
function needsEpoch(message: PeerMessage): boolean {
  switch (message.kind) {
    case 'invalidate':
    case 'acknowledge':
    case 'query':
    case 'queryAnswer':
    case 'learnDigests':
    case 'learnDifferences':
    case 'learnPull':
    case 'learnFrame':
    case 'learnOperations':
    case 'learnOperationsFrame':
    case 'learnRefused':
    case 'repairPull':
    case 'repairRecord':
    case 'scrubDigests':
    case 'scrubDifferences':
    case 'scrubPull':
    case 'scrubPage':
    case 'repairAbsent':
    case 'floorRaise':
    case 'floorRaised':
    case 'deletionsForget':
    case 'learnUntold':
    case 'learnUntoldFrame':
    case 'learnSpool':
    case 'learnSpoolFrame':
    case 'spoolDrained':
    case 'retired':
    case 'driven':
    case 'stopAsk':
    case 'stopAnswer':
    case 'stopWord':
      return true;
    default:
      return false;
  }
}
