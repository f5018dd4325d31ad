/**
 * A frame is what members send one another at a time: a header about its sender, then many messages. It is accepted or
 * refused as a whole: the checksum and the message count in its header cover every part of it.
 *
 *   0 u8 format   1 u32 checksum of the rest   5 u32 messages   9 u16 from   11 f64 incarnation
 *  19 f64 epoch   27 messages: u8 kind, fields                                    (little endian)
 */
import { unreachable } from '../base/assert.ts';
import { FRAME_MESSAGES_MAX } from '../core/limits.ts';
import type { FrameHeader, PeerMessage } from '../core/message.ts';
import { PROTOCOL_MAX, PROTOCOL_MIN } from '../core/membership/protocol-versions.ts';
import { checksumOf } from './checksum.ts';
import * as collection from './collection-codec.ts';
import * as forward from './forward-codec.ts';
import * as learn from './learn-codec.ts';
import * as membership from './membership-codec.ts';
import { Reader } from './reader.ts';
import * as replication from './replication-codec.ts';
import * as scrub from './scrub-codec.ts';
import * as spool from './spool-codec.ts';
import * as stop from './stop-codec.ts';
import * as watch from './watch-codec.ts';
import { Writer } from './writer.ts';

/** The format numbers of the versions in which a frame may be written. No flipped bit turns one into another. */
const FORMATS = new Map([
  [4, 2],
  [5, 5],
  [6, 9],
  [7, 14],
  [8, 17],
]);
const PROTOCOLS = new Map([...FORMATS].map(([protocol, format]) => [format, protocol]));
const CHECKSUM_AT = 1;
const COUNT_AT = 5;

/** The numbers of the message kinds on the wire; a number is never reused. */
const KIND = {
  invalidate: 1,
  acknowledge: 2,
  validate: 3,
  query: 4,
  queryAnswer: 5,
  forwardWrite: 16,
  forwardRead: 17,
  forwardWriteAnswer: 18,
  forwardReadAnswer: 19,
  forwardScan: 20,
  forwardScanAnswer: 21,
  forwardCount: 22,
  forwardCountAnswer: 23,
  learnDigests: 32,
  learnDifferences: 33,
  learnPull: 34,
  learnFrame: 35,
  learnRefused: 36,
  repairPull: 37,
  repairRecord: 38,
  learnOperations: 39,
  learnOperationsFrame: 40,
  learnUntold: 41,
  learnUntoldFrame: 42,
  scrubDigests: 43,
  scrubDifferences: 44,
  scrubPull: 45,
  scrubPage: 46,
  repairAbsent: 64,
  floorRaise: 65,
  floorRaised: 66,
  deletionsForget: 67,
  learnSpool: 72,
  learnSpoolFrame: 73,
  spoolDrained: 74,
  recordHearsay: 75,
  prepare: 48,
  promise: 49,
  accept: 50,
  accepted: 51,
  topology: 52,
  heartbeat: 53,
  heartbeatAnswer: 54,
  leaseReleased: 55,
  introduction: 56,
  retired: 58,
  strain: 59,
  succession: 60,
  driven: 61,
  watchAsk: 80,
  watchHeard: 81,
  watchTold: 82,
  watchAllTold: 83,
  stopAsk: 84,
  stopAnswer: 85,
  stopWord: 86,
} as const satisfies Record<PeerMessage['kind'], number>;

/** Builds frames, one after another, in a buffer of its own. */
export class FrameEncoder {
  messageCount = 0;
  private readonly out = new Writer();

  /** Bytes of the frame so far, including its header. */
  get byteCount(): number {
    return this.out.length;
  }

  /** `protocol`: the version of the link. */
  begin(header: FrameHeader, protocol: number): void {
    this.messageCount = 0;
    const out = this.out;
    out.reset();
    out.protocol = protocol;
    out.u8(FORMATS.get(protocol)!);
    out.u32(0);
    out.u32(0);
    out.u16(header.from);
    out.whole(header.incarnation);
    out.whole(header.epoch);
  }

  add(message: PeerMessage): void {
    this.out.u8(KIND[message.kind]);
    writeMessage(this.out, message);
    this.messageCount += 1;
  }

  /** The frame as bytes of its own. The next one opens with `begin`. */
  finish(): Uint8Array {
    const out = this.out;
    out.u32At(COUNT_AT, this.messageCount);
    out.u32At(CHECKSUM_AT, out.checksum(COUNT_AT));
    return out.copy();
  }
}

/**
 * For a reader that speaks up to `protocolMax`. Never throws. Keys are copied out; values and records are views into
 * `frame`, which must not be reused; a small one that is kept keeps the whole frame in memory.
 */
export function decodeFrame(
  frame: Uint8Array,
  protocolMax = PROTOCOL_MAX,
): { header: FrameHeader; messages: PeerMessage[] } | { fault: string } {
  const from = new Reader(frame);
  const format = from.u8();
  const protocol = PROTOCOLS.get(format) ?? Infinity;
  from.protocol = protocol;
  if (from.ok && (protocol < PROTOCOL_MIN || protocol > protocolMax))
    return { fault: `a frame of the unknown format ${format}` };
  const checksum = from.u32();
  if (from.ok && checksumOf(frame, COUNT_AT, frame.length) !== checksum)
    return { fault: 'a frame is damaged' };
  let messagesLeft = from.u32();
  // A message may be far larger in memory than its bytes, and no sender puts more into one frame.
  if (messagesLeft > FRAME_MESSAGES_MAX) from.fail('a frame holds too many messages');
  const header: FrameHeader = { from: from.u16(), incarnation: from.whole(), epoch: from.whole() };
  const messages: PeerMessage[] = [];
  for (; messagesLeft > 0 && from.ok; messagesLeft--) {
    const message = readMessage(from);
    if (message !== undefined) messages.push(message);
  }
  if (from.remaining > 0) from.fail('bytes follow the last message');
  return from.ok ? { header, messages } : { fault: from.fault };
}

// One branch per kind and nothing else, the hottest kinds first.
// long: one branch a kind, nothing to divide
function writeMessage(out: Writer, message: PeerMessage): void {
  switch (message.kind) {
    case 'invalidate':
      return replication.writeInvalidate(out, message);
    case 'acknowledge':
      return replication.writeAcknowledge(out, message);
    case 'validate':
      return replication.writeValidate(out, message);
    case 'query':
      return replication.writeQuery(out, message);
    case 'queryAnswer':
      return replication.writeQueryAnswer(out, message);
    case 'heartbeat':
      return membership.writeHeartbeat(out, message);
    case 'heartbeatAnswer':
      return membership.writeHeartbeatAnswer(out, message);
    case 'forwardWrite':
      return forward.writeForwardWrite(out, message);
    case 'forwardRead':
      return forward.writeForwardRead(out, message);
    case 'forwardWriteAnswer':
      return forward.writeForwardWriteAnswer(out, message);
    case 'forwardReadAnswer':
      return forward.writeForwardReadAnswer(out, message);
    case 'forwardScan':
      return forward.writeForwardScan(out, message);
    case 'forwardScanAnswer':
      return forward.writeForwardScanAnswer(out, message);
    case 'forwardCount':
      return forward.writeForwardCount(out, message);
    case 'forwardCountAnswer':
      return forward.writeForwardCountAnswer(out, message);
    case 'learnDigests':
      return learn.writeLearnDigests(out, message);
    case 'learnDifferences':
      return learn.writeLearnDifferences(out, message);
    case 'learnPull':
      return learn.writeLearnPull(out, message);
    case 'learnFrame':
      return learn.writeLearnFrame(out, message);
    case 'learnRefused':
      return learn.writeLearnRefused(out, message);
    case 'learnOperations':
      return learn.writeLearnOperations(out, message);
    case 'learnOperationsFrame':
      return learn.writeLearnOperationsFrame(out, message);
    case 'learnUntold':
      return learn.writeLearnUntold(out, message);
    case 'learnUntoldFrame':
      return learn.writeLearnUntoldFrame(out, message);
    case 'repairPull':
      return learn.writeRepairPull(out, message);
    case 'repairRecord':
      return learn.writeRepairRecord(out, message);
    case 'scrubDigests':
      return scrub.writeScrubDigests(out, message);
    case 'scrubDifferences':
      return scrub.writeScrubDifferences(out, message);
    case 'scrubPull':
      return scrub.writeScrubPull(out, message);
    case 'scrubPage':
      return scrub.writeScrubPage(out, message);
    case 'repairAbsent':
      return learn.writeRepairAbsent(out, message);
    case 'floorRaise':
      return collection.writeFloorRaise(out, message);
    case 'floorRaised':
      return collection.writeFloorRaised(out, message);
    case 'deletionsForget':
      return collection.writeDeletionsForget(out, message);
    case 'learnSpool':
      return spool.writeLearnSpool(out, message);
    case 'learnSpoolFrame':
      return spool.writeLearnSpoolFrame(out, message);
    case 'spoolDrained':
      return spool.writeSpoolDrained(out, message);
    case 'recordHearsay':
      return spool.writeRecordHearsay(out, message);
    case 'watchAsk':
      return watch.writeWatchAsk(out, message);
    case 'watchHeard':
      return watch.writeWatchHeard(out, message);
    case 'watchTold':
      return watch.writeWatchTold(out, message);
    case 'watchAllTold':
      return watch.writeWatchAllTold(out);
    case 'stopAsk':
    case 'stopAnswer':
    case 'stopWord':
      return stop.writeStop(out, message);
    case 'prepare':
      return membership.writePrepare(out, message);
    case 'promise':
      return membership.writePromise(out, message);
    case 'accept':
      return membership.writeAccept(out, message);
    case 'accepted':
      return membership.writeAccepted(out, message);
    case 'topology':
      return membership.writeTopologyNews(out, message);
    case 'introduction':
      return membership.writeIntroduction(out, message);
    case 'strain':
      return membership.writeStrain(out, message);
    case 'succession':
      return membership.writeSuccession(out, message);
    case 'driven':
      return out.whole(message.drive);
    case 'leaseReleased':
    case 'retired':
      return;
    default:
      unreachable(message);
  }
}

/** Undefined only if a fault was set. */
function readMessage(from: Reader): PeerMessage | undefined {
  const kind = from.u8();
  if (!from.ok) return undefined;
  const read = READERS[kind];
  if (read === undefined) {
    from.fail(`a message of the unknown kind ${kind}`);
    return undefined;
  }
  return read(from);
}

const READERS: readonly (((from: Reader) => PeerMessage) | undefined)[] = readersByKind({
  invalidate: replication.readInvalidate,
  acknowledge: replication.readAcknowledge,
  validate: replication.readValidate,
  query: replication.readQuery,
  queryAnswer: replication.readQueryAnswer,
  forwardWrite: forward.readForwardWrite,
  forwardRead: forward.readForwardRead,
  forwardWriteAnswer: forward.readForwardWriteAnswer,
  forwardReadAnswer: forward.readForwardReadAnswer,
  forwardScan: forward.readForwardScan,
  forwardScanAnswer: forward.readForwardScanAnswer,
  forwardCount: forward.readForwardCount,
  forwardCountAnswer: forward.readForwardCountAnswer,
  learnDigests: learn.readLearnDigests,
  learnDifferences: learn.readLearnDifferences,
  learnPull: learn.readLearnPull,
  learnFrame: learn.readLearnFrame,
  learnRefused: learn.readLearnRefused,
  learnOperations: learn.readLearnOperations,
  learnOperationsFrame: learn.readLearnOperationsFrame,
  learnUntold: learn.readLearnUntold,
  learnUntoldFrame: learn.readLearnUntoldFrame,
  repairPull: learn.readRepairPull,
  repairRecord: learn.readRepairRecord,
  scrubDigests: scrub.readScrubDigests,
  scrubDifferences: scrub.readScrubDifferences,
  scrubPull: scrub.readScrubPull,
  scrubPage: scrub.readScrubPage,
  repairAbsent: learn.readRepairAbsent,
  floorRaise: collection.readFloorRaise,
  floorRaised: collection.readFloorRaised,
  deletionsForget: collection.readDeletionsForget,
  learnSpool: spool.readLearnSpool,
  learnSpoolFrame: spool.readLearnSpoolFrame,
  spoolDrained: spool.readSpoolDrained,
  recordHearsay: spool.readRecordHearsay,
  watchAsk: watch.readWatchAsk,
  watchHeard: watch.readWatchHeard,
  watchTold: watch.readWatchTold,
  watchAllTold: watch.readWatchAllTold,
  stopAsk: stop.readStopAsk,
  stopAnswer: stop.readStopAnswer,
  stopWord: stop.readStopWord,
  prepare: membership.readPrepare,
  promise: membership.readPromise,
  accept: membership.readAccept,
  accepted: membership.readAccepted,
  topology: membership.readTopologyNews,
  heartbeat: membership.readHeartbeat,
  heartbeatAnswer: membership.readHeartbeatAnswer,
  leaseReleased: () => ({ kind: 'leaseReleased' }),
  introduction: membership.readIntroduction,
  strain: membership.readStrain,
  succession: membership.readSuccession,
  retired: () => ({ kind: 'retired' }),
  driven: (from) => ({ kind: 'driven', drive: from.whole() }),
});

function readersByKind(
  readers: Readonly<Record<PeerMessage['kind'], (from: Reader) => PeerMessage>>,
): ((from: Reader) => PeerMessage)[] {
  const byKind: ((from: Reader) => PeerMessage)[] = [];
  for (const kind of Object.keys(KIND) as PeerMessage['kind'][]) byKind[KIND[kind]] = readers[kind];
  return byKind;
}
