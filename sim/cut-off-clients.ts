/** Processes that do not reach a server which others reach, each until a moment of its own. */
import type { Life, Scheduler } from './scheduler.ts';

export class CutOffClients {
  private readonly scheduler: Scheduler;
  private readonly until = new WeakMap<Life, number>();

  constructor(scheduler: Scheduler) {
    this.scheduler = scheduler;
  }

  /** From now on for `ms` of virtual time. */
  cutOff(client: Life, ms: number): void {
    this.until.set(client, this.scheduler.time + ms);
  }

  has(client: Life): boolean {
    return this.scheduler.time < (this.until.get(client) ?? 0);
  }
}
