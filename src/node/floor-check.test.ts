/** In what pieces a disk that went back is looked through. What becomes of it: `sim/gone-back.test.ts`. */
import { expect, test } from 'vitest';
import { handClock } from '../../test/support/hand-clock.ts';
import { SCRUB_PAGE_BYTES_MAX, SCRUB_TOLD_RECORDS_MAX, SLOT_COUNT } from '../core/limits.ts';
import { FloorCheck } from './floor-check.ts';
import type { FloorCheckParts } from './floor-check.ts';

test('a slot is behind: it is read a page at a time, bounded in records and in bytes, while the others are done', () => {
  const behind = 3;
  const pages: (readonly [number, number])[] = [];
  const asked: number[] = [];
  const view = { topology: {}, row: (slot: number) => ({ owns: slot <= behind }) };
  const replica = { view, stateOf: () => undefined };
  const parts = {
    clock: handClock(),
    telemetry: { event: () => undefined },
    storage: {
      scan: (_from: string, _to: string, countMax: number, bytesMax: number) =>
        void pages.push([countMax, bytesMax]),
    },
    systemOfRecord: {
      readFloors: (slots: readonly number[], done: (error: null, floors: readonly object[]) => void) => {
        asked.push(...slots);
        done(
          null,
          slots.map((slot) => ({ counter: slot === behind ? 5 : 0, turn: 0 })),
        );
      },
    },
    floors: { floors: { of: () => 0 } },
    replica: () => replica,
    mutations: {},
  };
  const check = new FloorCheck(parts as unknown as FloorCheckParts);
  for (let tick = 0; tick < 4; tick += 1) check.tick();
  expect(asked).toEqual(Array.from({ length: SLOT_COUNT }, (_, slot) => slot).slice(0, behind + 1));
  expect(pages).toEqual([[SCRUB_TOLD_RECORDS_MAX, SCRUB_PAGE_BYTES_MAX]]);
  expect(check.isChecked).toBe(false);
});
