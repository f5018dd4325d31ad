/**
 * Codec of the messages that members exchange before one of them stops; used only if both speak the version that
 * introduced them.
 */
import { assert } from '../base/assert.ts';
import { SINCE } from '../core/membership/protocol-versions.ts';
import type { StopAnswer, StopAsk, StopMessage, StopWord } from '../core/membership/stop-message.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

export function writeStop(out: Writer, message: StopMessage): void {
  assert(out.protocol >= SINCE.stopReservation, 'who is told of a stop understands it');
  if (message.kind === 'stopWord') return out.real(message.leftMs);
  out.whole(message.attempt);
  if (message.kind === 'stopAnswer') out.u16(message.holder);
}

export function readStopAsk(from: Reader): StopAsk {
  checkReader(from);
  return { kind: 'stopAsk', attempt: from.whole() };
}

export function readStopAnswer(from: Reader): StopAnswer {
  checkReader(from);
  return { kind: 'stopAnswer', attempt: from.whole(), holder: from.u16() };
}

export function readStopWord(from: Reader): StopWord {
  checkReader(from);
  return { kind: 'stopWord', leftMs: from.real() };
}

function checkReader(from: Reader): void {
  if (from.protocol < SINCE.stopReservation) from.fail('a message is of a later version');
}
