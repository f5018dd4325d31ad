/**
 * What one exchange with the legacy source means: for the asker, for the circuit breaker, and for whether it
 * is worth repeating. The source is judged apart from the key: an answer without a usable value for one key
 * must not stop the fetches of all others.
 */
import type { Verdict } from '../../core/circuit-breaker.ts';
import { mapBody, meaningOfStatus } from '../../core/legacy-answer.ts';
import type { LegacyBody, LegacyMapping, MappedBody } from '../../core/legacy-answer.ts';
import { unreachable } from '../../base/assert.ts';
import type { LegacyOutcome } from '../../ports/legacy-source.ts';
import type { ExchangeResult } from './exchange.ts';

export interface Judgement {
  readonly outcome: LegacyOutcome;
  readonly retryable: boolean;
  readonly verdict: Verdict;
  /** Why the answer was no good; empty where it was. */
  readonly fault: string;
  readonly denied: boolean;
  readonly mismatch: boolean;
  /** Milliseconds the source asked not to be asked for. */
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
      // An address that may not be connected to stays so; the rest is the weather of networks.
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
      // Being told to slow down is answered by slowing down, not by counting the source as ill.
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

/** Seconds or a date (RFC 9110 10.2.3), as milliseconds from `wallNow`; 0 where it says nothing usable. */
export function parseRetryAfter(text: string, wallNow: number): number {
  const trimmed = text.trim();
  if (/^[0-9]{1,9}$/.test(trimmed)) return Number(trimmed) * 1000;
  // A date in HTTP opens with the name of a day; what else Date.parse may guess at is not one.
  const at = /^[A-Z][a-z]{2,8},? /.test(trimmed) ? Date.parse(trimmed) : NaN;
  return Number.isNaN(at) ? 0 : Math.max(0, at - wallNow);
}
