/**
 * Does every value come back with the content type that it was put with, and which later changes of the value kept?
 * Until all members speak the protocol version that introduced content types, a value may be stored without one. So a
 * type is required only for values that were put when every process acted in an epoch of that version. (decision 34)
 */
import type { KeyRecord } from '../../src/core/record.ts';
import { putOf, textOf, typeOf } from '../values.ts';

export class ContentTypes {
  private readonly onViolation: (text: string) => void;
  /** For each put value: whether every process had to keep its type, or whether that is uncertain. */
  private readonly kept = new Map<number, boolean>();

  constructor(onViolation: (text: string) => void) {
    this.onViolation = onViolation;
  }

  /** A value is being written. `isKept`: every node that may write it keeps its type. */
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
