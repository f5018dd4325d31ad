/** A test that needs a program which is not installed: counted as skipped, and reported. */
import type { TestContext } from 'vitest';

export function skipWithout(program: string, context: TestContext): never {
  console.warn(`skipped: ${context.task.name} (no ${program} installed)`);
  return context.skip();
}
