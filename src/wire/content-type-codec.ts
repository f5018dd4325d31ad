/**
 * The content type of a value outside of a record; and whether a link's reader understands a message that came with a
 * certain version.
 */
import { contentTypeFault } from '../core/clients/check-key.ts';
import type { HeldRecord, PeerMessage } from '../core/message.ts';
import { SINCE } from '../core/membership/protocol-versions.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

export function writeContentType(out: Writer, contentType: string): void {
  out.text(contentType);
}

/** Present only if a flag says so, which earlier versions do not have. */
export function readContentType(from: Reader): string | null {
  if (from.protocol < SINCE.contentType) from.fail('a content type is of a later version');
  const contentType = from.text();
  if (contentTypeFault(contentType) !== undefined) from.fail('a content type is none');
  return contentType;
}

/**
 * Nobody stores a content type before all members speak the version. Yet a member may have been replaced by an earlier
 * program since, or its link may be down: what it could not read is not sent, as if it had been lost on the way. The
 * same goes for what is sent before a stop: the link of a program that was just replaced is up before it introduces
 * itself again.
 */
export function isTellable(message: PeerMessage, protocol: number): boolean {
  if (protocol < SINCE.stopReservation && isOfStop(message)) return false;
  return protocol >= SINCE.contentType || !isTyped(message);
}

function isOfStop({ kind }: PeerMessage): boolean {
  return kind === 'stopAsk' || kind === 'stopAnswer' || kind === 'stopWord';
}

function isTyped(message: PeerMessage): boolean {
  switch (message.kind) {
    case 'invalidate':
      return message.sealed.record.contentType !== null;
    case 'acknowledge':
    case 'repairRecord':
      return message.held !== null && isTypedRecord(message.held);
    case 'learnFrame':
    case 'learnUntoldFrame':
      return message.records.some(isTypedRecord);
    default:
      return false;
  }
}

function isTypedRecord({ sealed }: HeldRecord): boolean {
  return sealed.record.contentType !== null;
}
