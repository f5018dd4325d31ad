/** The sizes of a node's queues and tables, read from outside: no part of the node knows that it is watched. */
import type { CausewayNode } from '../src/node/node.ts';
import type { QueueSizes } from './checkers/queues.ts';

export function queueSizesOf(node: CausewayNode): QueueSizes {
  const context = node['replica']?.['context'];
  const legacy = node['serving'].legacy;
  const recordWriter = node['recordWriter'];
  const recordReader = node['recordReader'];
  const writer = node['writer'];
  let waitingOnKeys = 0;
  for (const state of context?.table.values() ?? []) {
    waitingOnKeys += state.queue.length + state.readers.length + state.aborted.length + state.owed.length;
  }
  let deadlines = 0;
  for (const bucket of node['deadlines']['buckets'].values()) deadlines += bucket.size;
  return {
    operations: node['admission'].inFlight('client') + node['admission'].inFlight('peer'),
    operationBytes: node['admission']['bytesInFlight'],
    deadlines,
    waitingForReadiness: node['waitingRuns'].size,
    keysInFlight: context?.table.size ?? 0,
    waitingOnKeys,
    rounds: context?.rounds.size ?? 0,
    settling: context?.settling.size ?? 0,
    forwarded: node['forwarder']['pending'].size,
    storeBatches: writer['waiting'].length,
    inFlightEntries: writer['writeCounts'].size,
    entriesToDrop: writer['entriesToDrop'].length,
    recordRows: recordWriter?.backlog ?? 0,
    recordReads: recordReader === null ? 0 : recordReader['waiting'].size,
    legacyFlights: legacy?.['flights'].size ?? 0,
    legacyWaiters: legacy?.['waiterCount'] ?? 0,
    copies: node['learner']['pulls'].size,
    spooled: node['spool'].marks.entries,
    repairs: node['background'].repair['pending'].size,
  };
}
