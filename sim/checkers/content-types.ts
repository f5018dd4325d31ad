/**
 * Does every value come back with the content type that was put with it, and that changes of the value kept? Until all
 * members speak the version that content types came with, a value may be written without: so only what was put when every
 * process acted in an epoch of that version must have one. (decision 34)
 */
import type { KeyRecord } from '../../src/core/record.ts';
import { putOf, textOf, typeOf } from '../values.ts';

export class ContentTypes {
  private readonly onViolation: (text: string) => void;
  /** Puts that all had to keep the type of, and those of which that is not known. */
  private readonly kept = new Map<number, boolean>();

  constructor(onViolation: (text: string) => void) {
    this.onViolation = onViolation;
  }

  /** A value is on its way. `isKept`: whoever may come to write it keeps its type. */
  began(value: string, isKept: boolean): void {
    const put = putOf(value);
    if (put !== null) this.kept.set(put, isKept && this.kept.get(put) !== false);
  }

  saw({ key, value, contentType }: Pick<KeyRecord, 'key' | 'value' | 'contentType'>): void {
    const text = textOf(value);
    const expected = typeOf(text);
    if (contentType === expected) return;
    const put = putOf(text);
    if (contentType === null && put !== null && this.kept.get(put) !== true) return;
    this.onViolation(`${key}: '${text}' was told with the content type ${contentType}, and not ${expected}`);
  }
}
