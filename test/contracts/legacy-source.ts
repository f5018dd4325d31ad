/**
 * The contract of `LegacySource`, for the real and the simulated one. A world provides a source and the means to change
 * the legacy system behind it.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LegacyOutcome, LegacySource } from '../../src/ports/legacy-source.ts';

export interface LegacyWorld {
  readonly source: LegacySource;
  set(key: string, value: string): void;
  remove(key: string): void;
  trouble(kind: 'none' | 'errors' | 'refusing' | 'hanging'): Promise<void>;
  /** How many requests have reached the legacy system. */
  calls(): number;
  /** Lets time pass until `isDone` returns true, at most `ms`. */
  until(isDone: () => boolean, ms: number): Promise<void>;
  end(): Promise<void>;
}

export function legacySourceContract(name: string, open: () => Promise<LegacyWorld>): void {
  describe(`legacy source contract: ${name}`, () => {
    let world: LegacyWorld;

    beforeEach(async () => {
      world = await open();
    });
    afterEach(() => world.end());

    /** The single answer; fails if there is none, if it came synchronously, or if a second one follows. */
    async function ask(key: string, timeoutMs = 1_000): Promise<LegacyOutcome> {
      const answers: LegacyOutcome[] = [];
      let returned = false;
      world.source.fetch(key, timeoutMs, (outcome) => {
        expect(returned, 'answered from within the call').toBe(true);
        answers.push(outcome);
      });
      returned = true;
      await world.until(() => answers.length > 0, timeoutMs + 500);
      await world.until(() => answers.length > 1, 5);
      expect(answers).toHaveLength(1);
      return answers[0]!;
    }

    function text(outcome: LegacyOutcome): string {
      expect(outcome.kind).toBe('value');
      return outcome.kind === 'value' ? new TextDecoder().decode(outcome.value) : '';
    }

    test('a key that legacy holds: its value, byte for byte', async () => {
      world.set('user:1001', 'Dr. Heisenberg');
      world.set('ünï/cö de?#%', '\u{1f600} \u0000 "\\"');
      expect(text(await ask('user:1001'))).toBe('Dr. Heisenberg');
      expect(text(await ask('ünï/cö de?#%'))).toBe('\u{1f600} \u0000 "\\"');
    });

    test('a key that legacy does not hold: absent, and present as soon as it does', async () => {
      expect((await ask('new')).kind).toBe('absent');
      world.set('new', '1');
      expect(text(await ask('new'))).toBe('1');
      world.remove('new');
      expect((await ask('new')).kind).toBe('absent');
    });

    test('a key that would name another resource: unaddressable, and legacy is not asked', async () => {
      for (const key of ['..', '.', '', 'a/../b', '\ud800'])
        expect((await ask(key)).kind).toBe('unaddressable');
      expect(world.calls()).toBe(0);
    });

    test.each(['errors', 'refusing', 'hanging'] as const)(
      'legacy in trouble (%s): unavailable, never absent',
      async (kind) => {
        world.set('held', '1');
        await world.trouble(kind);
        expect((await ask('held', 300)).kind).toBe('unavailable');
        expect((await ask('never held', 300)).kind).toBe('unavailable');
        expect(world.source.health().state).not.toBe('up');
        expect(world.source.health().failures).toBeGreaterThan(0);
        await world.trouble('none');
        expect(text(await ask('held'))).toBe('1');
        expect(world.source.health().state).toBe('up');
      },
    );

    test('many fetches at once: each gets the answer of its own key', async () => {
      const answers = new Map<string, string>();
      for (let n = 0; n < 100; n++) {
        world.set(`k${n}`, `v${n}`);
        world.source.fetch(`k${n}`, 2_000, (outcome) => answers.set(`k${n}`, text(outcome)));
      }
      await world.until(() => answers.size === 100, 2_000);
      for (let n = 0; n < 100; n++) expect(answers.get(`k${n}`)).toBe(`v${n}`);
      expect(world.calls()).toBe(100);
    });

    test('closed with fetches under way: each is answered unavailable, and so is what follows', async () => {
      await world.trouble('hanging');
      const kinds: string[] = [];
      for (let n = 0; n < 3; n++) world.source.fetch(`k${n}`, 60_000, (outcome) => kinds.push(outcome.kind));
      let closed = false;
      world.source.close(() => (closed = true));
      await world.until(() => closed && kinds.length === 3, 1_000);
      expect(kinds).toEqual(['unavailable', 'unavailable', 'unavailable']);
      expect(closed).toBe(true);
      expect((await ask('late')).kind).toBe('unavailable');
    });
  });
}
