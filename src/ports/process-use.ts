/** What this process takes of its machine, as the system tells it. */
import type { MemoryUse } from '../core/recent-activity.ts';

export interface ProcessUse {
  memory(): MemoryUse;
  /** Of one processor, since a moment ago: 1 is all of it. Threads of the runtime can make it more. */
  cpuShare(): number;
}
