/** The sizes of a node's queues and tables, read from outside: no part of the node knows that it is watched. */
import type { CausewayNode } from '../src/node/node.ts';
import type { QueueSizes } from './checkers/queues.ts';

export function queueSizesOf(node: CausewayNode): QueueSizes {
  const assembly = node['assembly'];
  const context = assembly.keeper.replica?.['context'];
  const legacy = assembly.serving.legacy;
  const { recordWriter, recordReader, writer } = assembly;
  let waitingOnKeys = 0;
  for (const state of context?.table.values() ?? []) {
    waitingOnKeys += state.queue.length + state.readers.length + state.aborted.length + state.owed.length;
  }
  let deadlines = 0;
  for (const bucket of assembly.deadlines['buckets'].values()) deadlines += bucket.size;
  return {
    operations: assembly.admission.inFlight('client') + assembly.admission.inFlight('peer'),
    operationBytes: assembly.admission['bytesInFlight'],
    deadlines,
    waitingForReadiness: assembly.waitingRuns.size,
    keysInFlight: context?.table.size ?? 0,
    waitingOnKeys,
    rounds: context?.rounds.size ?? 0,
    settling: context?.settling.size ?? 0,
    forwarded: assembly.forwarder['pending'].size,
    storeBatches: writer['waiting'].length,
    inFlightEntries: writer['writeCounts'].size,
    entriesToDrop: writer['entriesToDrop'].length,
    recordRows: recordWriter?.backlog ?? 0,
    recordReads: recordReader === null ? 0 : recordReader['waiting'].size,
    legacyFlights: legacy?.['flights'].size ?? 0,
    legacyWaiters: legacy?.['waiterCount'] ?? 0,
    copies: assembly.learner['pulls'].size,
    spooled: assembly.spool.marks.entries,
    repairs: assembly.background.repair['pending'].size,
  };
}
