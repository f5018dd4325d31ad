/**
 * What the outcome of one exchange means for the caller, for the circuit breaker, and for retries. The source is judged
 * separately from the key: an unusable answer for one key must not stop the fetches of all others.
 */
import type { Verdict } from '../../core/legacy/circuit-breaker.ts';
import { mapBody, meaningOfStatus } from '../../core/legacy/legacy-answer.ts';
import type { LegacyBody, LegacyMapping, MappedBody } from '../../core/legacy/legacy-answer.ts';
import { unreachable } from '../../base/assert.ts';
import type { LegacyOutcome } from '../../ports/legacy-source.ts';
import type { ExchangeResult } from './exchange.ts';

export interface Judgement {
  readonly outcome: LegacyOutcome;
  readonly retryable: boolean;
  readonly verdict: Verdict;
  /** Why the answer was unusable; empty if it was good. */
  readonly fault: string;
  readonly denied: boolean;
  readonly mismatch: boolean;
  /** How long (ms) the source asked to be left alone. */
  readonly pauseMs: number;
}

const GOOD = {
  retryable: false,
  verdict: 'success',
  fault: '',
  denied: false,
  mismatch: false,
  pauseMs: 0,
} as const;

export function judge(mapping: LegacyMapping, key: string, result: ExchangeResult): Judgement {
  switch (result.kind) {
    case 'answer':
      if (result.body !== null) return judgeBody(mapping, key, result.body);
      return judgeStatus(result.status, result.retryAfter);
    case 'oversized':
      return bad('the answer is too large', { verdict: 'success' });
    case 'encoded':
      return bad('the answer is compressed, which was not asked for', { verdict: 'success' });
    case 'broken':
      // A refused address stays refused; other network errors pass.
      return bad(`the connection failed: ${result.reason}`, {
        retryable: result.reason !== 'REFUSED_ADDRESS',
      });
    case 'cut':
      return bad('the source did not answer in time', {});
    default:
      return unreachable(result);
  }
}

function judgeStatus(status: number, retryAfter: string): Judgement {
  const fault = `the source answered ${status}`;
  switch (meaningOfStatus(status)) {
    case 'absent':
      return { ...GOOD, outcome: { kind: 'absent' } };
    case 'troubled': {
      const pauseMs = status === 429 || status === 503 ? parseRetryAfter(retryAfter, Date.now()) : 0;
      // When told to slow down, slow down; do not count the source as failing.
      return bad(fault, { retryable: true, pauseMs, verdict: status === 429 ? 'neither' : 'failure' });
    }
    case 'denied':
      return bad(fault, { verdict: 'success', denied: true });
    case 'value':
    case 'unusable':
      return bad(fault, { verdict: 'success' });
  }
}

function judgeBody(mapping: LegacyMapping, key: string, body: LegacyBody): Judgement {
  const mapped: MappedBody = mapBody(mapping, key, body);
  if (mapped.kind === 'value') return { ...GOOD, outcome: mapped };
  const verdict = mapped.kind === 'garbled' ? 'failure' : 'success';
  return bad(mapped.reason, { verdict, mismatch: mapped.kind === 'mismatch' });
}

function bad(fault: string, more: Partial<Judgement>): Judgement {
  const retryAfterMs = more.pauseMs ?? 0;
  return {
    ...GOOD,
    verdict: 'failure',
    outcome: { kind: 'unavailable', reason: fault, retryAfterMs },
    fault,
    ...more,
  };
}

/** Parses seconds or a date (RFC 9110 10.2.3) into milliseconds from `wallNow`; 0 if the header is not usable. */
export function parseRetryAfter(text: string, wallNow: number): number {
  const trimmed = text.trim();
  if (/^[0-9]{1,9}$/.test(trimmed)) return Number(trimmed) * 1000;
  // An HTTP date begins with the name of a day; whatever else Date.parse accepts is not one.
  const at = /^[A-Z][a-z]{2,8},? /.test(trimmed) ? Date.parse(trimmed) : NaN;
  return Number.isNaN(at) ? 0 : Math.max(0, at - wallNow);
}
