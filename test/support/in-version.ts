/** What remains of a message of the latest version if one of the two members speaks an earlier one. */
import { failure } from '../../src/core/errors.ts';
import { NO_DOORS } from '../../src/core/clients/door-address.ts';
import type { PeerMessage } from '../../src/core/message.ts';
import type { WriteResult } from '../../src/core/operation.ts';
import { PROTOCOL_UNTOLD, SINCE } from '../../src/core/membership/protocol-versions.ts';
import type { SealedRecord } from '../../src/core/record.ts';
import type { Topology } from '../../src/core/membership/topology.ts';
import { sealRecord } from '../../src/wire/record-codec.ts';

/** The message as it arrives between members of which one speaks no more than this version. */
export function inVersion(message: PeerMessage, protocol: number): PeerMessage {
  if (message.kind === 'strain' && protocol < SINCE.clientDelay) return { ...message, clientDelayFactor: 0 };
  const kept = inEarlierVersions(message, protocol);
  return protocol < SINCE.contentType ? (withoutTypes(kept) as PeerMessage) : kept;
}

/** Removes the content type from every record, sealed or not, and from everything that is to be written. */
function withoutTypes(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return value.map(withoutTypes);
  if ('bytes' in value && 'record' in value)
    return sealRecord({ ...(value as SealedRecord).record, contentType: null });
  const fields = Object.entries(value).map(([name, each]) => [
    name,
    name === 'contentType' ? null : withoutTypes(each),
  ]);
  return Object.fromEntries(fields);
}

function resultInVersion(result: WriteResult, protocol: number): WriteResult {
  if (protocol < SINCE.modify && (result.kind === 'modified' || result.kind === 'unchanged'))
    return { kind: 'failed', failure: failure('outcome_unknown') };
  const isMade = result.kind === 'done' || result.kind === 'modified';
  return isMade && protocol < SINCE.ownChanges ? { ...result, isShared: true } : result;
}

function inEarlierVersions(message: PeerMessage, protocol: number): PeerMessage {
  const earlier = ({ protocol: inForce, ...rest }: Topology): Topology =>
    inForce === undefined || inForce <= protocol
      ? { ...rest, ...(inForce ? { protocol: inForce } : {}) }
      : rest;
  switch (message.kind) {
    case 'introduction':
      return {
        ...message,
        protocol: protocol < SINCE.introducedProtocol ? PROTOCOL_UNTOLD : message.protocol,
        doors: protocol < SINCE.introducedDoors ? NO_DOORS : message.doors,
      };
    case 'topology':
    case 'accept':
    case 'succession':
      return { ...message, topology: earlier(message.topology) };
    case 'promise': {
      const { accepted } = message;
      if (accepted === null) return message;
      return { ...message, accepted: { ...accepted, topology: earlier(accepted.topology) } };
    }
    case 'forwardRead': {
      const trace = protocol < SINCE.traceContext ? undefined : message.trace;
      return { ...message, trace, watch: message.watch && protocol >= SINCE.watchForPeers };
    }
    case 'forwardScan':
      return protocol < SINCE.scanTraceContext ? { ...message, trace: undefined } : message;
    case 'forwardReadAnswer':
      return protocol < SINCE.watchForPeers ? { ...message, watched: 0 } : message;
    case 'watchAsk':
    case 'watchHeard':
    case 'watchTold':
    case 'watchAllTold':
      // Not sent to a member that does not understand it.
      if (protocol < SINCE.watchForPeers) return { kind: 'retired' };
      return message.kind === 'watchTold' && protocol < SINCE.ownChanges
        ? { ...message, version: 0 }
        : message;
    case 'stopAsk':
    case 'stopAnswer':
    case 'stopWord':
      return protocol < SINCE.stopReservation ? { kind: 'retired' } : message;
    case 'invalidate':
      return protocol < SINCE.traceContext ? { ...message, trace: undefined } : message;
    case 'forwardWrite': {
      const { key, kind: asked } = message.operation;
      const trace = protocol < SINCE.traceContext ? undefined : message.trace;
      if (asked !== 'modify' || protocol >= SINCE.modify) return { ...message, trace };
      return { ...message, trace, operation: { kind: 'delete', key, operationId: null } };
    }
    case 'forwardWriteAnswer':
      return { ...message, result: resultInVersion(message.result, protocol) };
    case 'learnPull':
      return protocol < SINCE.offeredRecords ? { ...message, offered: [] } : message;
    case 'learnFrame': {
      if (message.same.length === 0 || protocol >= SINCE.offeredRecords) return message;
      return { ...message, records: [], same: [], last: false };
    }
    default:
      return message;
  }
}
