/**
 * Codec of messages about keys that clients keep copies of; used only if both sides speak the version that introduced
 * them.
 */
import { assert } from '../base/assert.ts';
import { SINCE } from '../core/membership/protocol-versions.ts';
import type { WatchAllTold, WatchAsk, WatchHeard, WatchTold } from '../core/clients/watch-message.ts';
import { readChoice } from './choices.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

const TOLD = ['changed', 'settled'] as const;

export function writeWatchAsk(out: Writer, { askedAt, all }: WatchAsk): void {
  checkWriter(out);
  out.real(askedAt);
  out.bool(all);
}

export function readWatchAsk(from: Reader): WatchAsk {
  checkReader(from);
  return { kind: 'watchAsk', askedAt: from.real(), all: from.bool() };
}

export function writeWatchHeard(out: Writer, { askedAt, session, epoch, all }: WatchHeard): void {
  checkWriter(out);
  out.real(askedAt);
  out.whole(session);
  out.whole(epoch);
  out.bool(all);
}

export function readWatchHeard(from: Reader): WatchHeard {
  checkReader(from);
  const askedAt = from.real();
  return { kind: 'watchHeard', askedAt, session: from.whole(), epoch: from.whole(), all: from.bool() };
}

export function writeWatchTold(out: Writer, { what, key, version }: WatchTold): void {
  checkWriter(out);
  out.u8(TOLD.indexOf(what));
  out.text(key);
  if (isOfVersion(what, out.protocol)) out.whole(version);
}

export function readWatchTold(from: Reader): WatchTold {
  checkReader(from);
  const what = readChoice(from, TOLD);
  const key = from.text();
  return { kind: 'watchTold', what, key, version: isOfVersion(what, from.protocol) ? from.whole() : 0 };
}

function isOfVersion(what: WatchTold['what'], protocol: number): boolean {
  return what === 'settled' && protocol >= SINCE.ownChanges;
}

export function writeWatchAllTold(out: Writer): void {
  checkWriter(out);
}

export function readWatchAllTold(from: Reader): WatchAllTold {
  checkReader(from);
  return { kind: 'watchAllTold' };
}

function checkWriter(out: Writer): void {
  assert(out.protocol >= SINCE.watchForPeers, 'who is told of what is watched understands it');
}

function checkReader(from: Reader): void {
  if (from.protocol < SINCE.watchForPeers) from.fail('a message is of a later version');
}
