/**
 * Opens a node on its store and, if that is damaged, on a blank one in its place. Nothing in a damaged store is
 * trusted: if a single in-flight entry is missing, an undecided write would be taken for valid. The node then enters
 * like one whose disk was lost, and copies everything from its peers. (PROTOCOL R8, R12, R29)
 */
import type { Storage, StorageError } from '../ports/storage.ts';
import { CausewayNode } from './node.ts';
import type { NodeParts, SetAside } from './node-parts.ts';

/** Moves the store aside for good and opens a blank one, marked as in doubt; or says why it cannot. */
export type Replace = (reason: string, done: (replacement: Replacement | string) => void) => void;

export interface Replacement {
  readonly storage: Storage;
  readonly setAside: SetAside;
}

/** `done` gets null, and the reason, if the store cannot be read and nothing could be put in its place. */
export function openNode(
  parts: NodeParts,
  replace: Replace,
  done: (node: CausewayNode | null, problem: string) => void,
): void {
  CausewayNode.open(parts, (node, fault) => {
    if (node !== null || fault?.kind !== 'damaged') return done(node, problemOf(fault));
    replace(fault.message, (replacement) => {
      if (typeof replacement === 'string') return done(null, replacement);
      CausewayNode.open({ ...parts, ...replacement }, (blank, problem) => done(blank, problemOf(problem)));
    });
  });
}

function problemOf(fault: StorageError | null): string {
  return fault?.message ?? 'the store cannot be read';
}
