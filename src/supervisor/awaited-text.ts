/** What a start waits for, in words: those that wait for the same are named together, so that a line can be read. */

export interface Awaited {
  readonly name: string;
  readonly reason: string;
}

/** `node-1, node-2 (does not listen yet), node-3 (the node is founding, not serving)` */
export function awaitedText(awaited: readonly Awaited[]): string {
  const byReason = new Map<string, string[]>();
  for (const { name, reason } of awaited) byReason.set(reason, [...(byReason.get(reason) ?? []), name]);
  return [...byReason].map(([reason, names]) => `${names.join(', ')} (${reason})`).join(', ');
}
