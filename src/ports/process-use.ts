/** What this process uses of its machine, as the system reports it. */
import type { MemoryUse } from '../core/observability/recent-activity.ts';

export interface ProcessUse {
  memory(): MemoryUse;
  /** Recent use in processors: 1 is all of one. The runtime's threads can make it more. */
  cpuShare(): number;
}
