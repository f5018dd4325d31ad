/** Conversion of a node's answers to messages of causeway.v1. */
import { certaintyOf } from '../../core/errors.ts';
import type { Failure } from '../../core/errors.ts';
import type { KeyRecord } from '../../core/record.ts';
import { causeway } from '../../gen/protocol.js';

export function recordAnswer(record: KeyRecord): causeway.v1.RecordFields {
  return {
    value: record.value,
    version: record.version,
    // core/record.ts and the wire use the same numbers; a test keeps them equal.
    origin: record.origin,
    ageMs: Math.max(0, Date.now() - record.updatedAt),
    // The wire has no sign for a time before 1970, which a row of PostgreSQL may have.
    createdAtMs: Math.max(0, record.createdAt),
    updatedAtMs: Math.max(0, record.updatedAt),
    expiresAtMs: record.expiresAt,
    contentType: record.contentType,
  };
}

export function failureAnswer(failed: Failure): causeway.v1.FailureFields {
  const { CERTAINTY_DEFINITE, CERTAINTY_INDEFINITE } = causeway.v1.Certainty;
  const certainty = certaintyOf(failed.code) === 'definite' ? CERTAINTY_DEFINITE : CERTAINTY_INDEFINITE;
  return { code: failed.code, certainty, message: failed.message };
}
