/** When blank nodes conclude that nobody lives in a life of the cluster. */
import { describe, expect, it } from 'vitest';
import { FoundingLook } from './founding-look.ts';
import { LIFE_FRESH_MS, LIFE_LOOK_GAP_MS_MAX } from './life-limits.ts';
import type { StandingLife } from './lives.ts';

const OLD_MS = 100 * LIFE_FRESH_MS;
const STEP_MS = 1_000;

function noted(
  notedAt: number,
  ageMs = OLD_MS,
  clusterId = 'theirs',
  name: string | null = 'a',
): StandingLife {
  const members = name === null ? [] : [{ name, address: 'a:1' }];
  return { clusterId, life: 2, lineage: [], sign: { members, ageMs, notedAt } };
}

/** The time at which the life is first clear, when checked every `stepMs`; null if never. */
function clearAfter(look: FoundingLook, at: (now: number) => StandingLife | null, stepMs = STEP_MS) {
  for (let now = 0; now <= 5 * LIFE_FRESH_MS; now += stepMs)
    if (look.isClear(at(now), 'drawn here', now)) return now;
  return null;
}

describe('a look at the life in force', () => {
  it('there is none: a founding follows at once', () => {
    expect(clearAfter(new FoundingLook(), () => null)).toBe(0);
  });

  it('an old note is seen for the first time: it may be from before PostgreSQL was away', () => {
    expect(clearAfter(new FoundingLook(), () => noted(7))).toBe(LIFE_FRESH_MS + STEP_MS);
  });

  it('it is noted anew meanwhile: from then on', () => {
    const at = (now: number): StandingLife => noted(now < 4_000 ? 7 : 8);
    expect(clearAfter(new FoundingLook(), at)).toBe(4_000 + LIFE_FRESH_MS + STEP_MS);
  });

  it('it is noted again and again: never, whatever age PostgreSQL tells', () => {
    expect(clearAfter(new FoundingLook(), (now) => noted(now, OLD_MS))).toBeNull();
  });

  it("PostgreSQL's clock was set back, so that the note seems new for hours: it is no newer for that", () => {
    expect(clearAfter(new FoundingLook(), () => noted(7, -OLD_MS))).toBe(LIFE_FRESH_MS + STEP_MS);
  });

  it('PostgreSQL did not answer in between: what was seen before that does not count', () => {
    const look = new FoundingLook();
    const at = (now: number): StandingLife => {
      if (now === 5_000) look.failed();
      return noted(7);
    };
    expect(clearAfter(look, at)).toBe(5_000 + LIFE_FRESH_MS + STEP_MS);
  });

  it('nobody looked for long: nor does what was seen before that', () => {
    expect(clearAfter(new FoundingLook(), () => noted(7), LIFE_LOOK_GAP_MS_MAX + 1)).toBeNull();
    expect(clearAfter(new FoundingLook(), () => noted(7), LIFE_LOOK_GAP_MS_MAX)).not.toBeNull();
  });

  it('of the founding that this process has begun itself: at once, as long as nobody has noted anything in it', () => {
    expect(new FoundingLook().isClear(noted(7, 0, 'drawn here', null), 'drawn here', 0)).toBe(true);
    expect(new FoundingLook().isClear(noted(7, 0, 'drawn here', 'b'), 'drawn here', 0)).toBe(false);
    expect(new FoundingLook().isClear(noted(7, 0, 'drawn elsewhere', null), 'drawn here', 0)).toBe(false);
  });
});
