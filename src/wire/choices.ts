/** Words of a fixed list, sent as numbers: a number is never reused for another word. */
import type { WriteKind } from '../core/operation.ts';
import type { Reader } from './reader.ts';

export const OPERATION_KINDS = [
  'put',
  'delete',
  'compareAndPut',
  'compareAndDelete',
  'increment',
  'fill',
  'expire',
  'modify',
] as const satisfies readonly WriteKind[];

export function readChoice<T extends string>(from: Reader, choices: readonly T[]): T {
  return choiceOf(from, choices, from.u8());
}

export function choiceOf<T extends string>(from: Reader, choices: readonly T[], at: number): T {
  const choice = choices[at];
  if (choice === undefined) from.fail('a choice is unknown');
  return choice ?? choices[0]!;
}
