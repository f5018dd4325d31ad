/**
 * Every owner must be able to read the content type of a record. So no content type is stored before all members speak
 * the protocol version that introduced it; until then values are written without one, as before. (decision 34)
 */
import type { Mutations } from './mutations.ts';
import type { KeyRecord } from './record.ts';
import type { ModifyOperation, WriteOperation } from './operation.ts';
import { protocolInForce, SINCE } from './membership/protocol-versions.ts';
import type { Topology } from './membership/topology.ts';

export function keepsContentTypes(topology: Topology, mutations: Mutations): boolean {
  return protocolInForce(topology) >= SINCE.contentType || mutations.keepTypeEarly === true;
}

/**
 * The operation as it has to be judged in this epoch. The protocol version in force never falls, so all later epochs
 * can read what is stored.
 */
export function asKept(operation: WriteOperation, topology: Topology, mutations: Mutations): WriteOperation {
  if (!isTyped(operation) || keepsContentTypes(topology, mutations)) return operation;
  return operation.kind === 'modify' ? withoutTypes(operation) : { ...operation, contentType: null };
}

/** The same for what a row shows that was changed by hand. */
export function shownAsKept(shown: KeyRecord, topology: Topology, mutations: Mutations): KeyRecord {
  if (shown.contentType === null || keepsContentTypes(topology, mutations)) return shown;
  return { ...shown, contentType: null };
}

type Typed = Extract<WriteOperation, { kind: 'put' | 'compareAndPut' | 'fill' | 'modify' }>;

function isTyped(operation: WriteOperation): operation is Typed {
  switch (operation.kind) {
    case 'put':
    case 'compareAndPut':
    case 'fill':
      return typeof operation.contentType === 'string';
    case 'modify':
      return operation.changes.some((each) => each.kind === 'set' && typeof each.contentType === 'string');
    default:
      return false;
  }
}

function withoutTypes(operation: ModifyOperation): ModifyOperation {
  const changes = operation.changes.map((each) =>
    each.kind === 'set' ? { ...each, contentType: null } : each,
  );
  return { ...operation, changes };
}
