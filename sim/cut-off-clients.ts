/** Processes that cannot reach a server that others can reach, each until a moment of its own. */
import type { Life, Scheduler } from './scheduler.ts';

export class CutOffClients {
  private readonly scheduler: Scheduler;
  private readonly until = new WeakMap<Life, number>();

  constructor(scheduler: Scheduler) {
    this.scheduler = scheduler;
  }

  /** For the next `ms` of virtual time. */
  cutOff(client: Life, ms: number): void {
    this.until.set(client, this.scheduler.time + ms);
  }

  has(client: Life): boolean {
    return this.scheduler.time < (this.until.get(client) ?? 0);
  }
}
