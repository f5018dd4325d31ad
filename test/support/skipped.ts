/** A test that needs a program which this machine lacks: counted as skipped, and said. */
import type { TestContext } from 'vitest';

export function skipWithout(program: string, context: TestContext): never {
  console.warn(`skipped: ${context.task.name} (no ${program} installed)`);
  return context.skip();
}
