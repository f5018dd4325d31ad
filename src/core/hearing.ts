/**
 * Whom a node hears. What an epoch decides is only discussed among those who act in the same one, as the very
 * processes that it knows: an older word may come from before a disk was lost, or from somebody who does not know
 * of a learner. (PROTOCOL R4, R11, R13)
 */
import type { FrameHeader, PeerMessage } from './message.ts';
import { isLiveIncarnation } from './topology.ts';
import type { Topology } from './topology.ts';

/** `topology`: what the hearer acts in, null where it acts in none. */
export function isHeard(topology: Topology | null, header: FrameHeader, message: PeerMessage): boolean {
  // Mostly who speaks is current, which is the quicker question.
  return isCurrent(topology, header) || !needsEpoch(message);
}

/**
 * The sender acts in an epoch that the hearer does not know yet: its topology is on the way, and what is said in it is
 * heard then. Dropped, it would be missed until its sender says it again, which takes far longer than an epoch does.
 */
export function isEarly(topology: Topology | null, header: FrameHeader, message: PeerMessage): boolean {
  return header.epoch > (topology?.epoch ?? 0) && needsEpoch(message);
}

/** Does the sender act in the hearer's epoch, as the process that this epoch knows? */
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
