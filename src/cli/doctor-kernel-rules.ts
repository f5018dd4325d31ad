/** Linux kernel settings that a node depends on. On other systems there is nothing to check. */
import { note, ok, warning } from './doctor-finding.ts';
import type { Finding } from './doctor-finding.ts';

/** Null: unknown. */
export interface KernelFacts {
  readonly mapsMax: number | null;
  readonly backlogMax: number | null;
  /** 2 means that the kernel never overcommits. */
  readonly overcommit: number | null;
  /** `always`, `madvise` or `never`. */
  readonly hugePages: string | null;
  readonly swapBytes: number | null;
  readonly swappiness: number | null;
  /** The range of ports for outgoing connections. */
  readonly portRange: readonly [number, number] | null;
  readonly portsReserved: string | null;
}

/** The store maps up to a thousand tables; libraries and heaps need more mappings. */
const MAPS_MIN = 16_384;
const BACKLOG_MIN = 128;
const SWAPPINESS_MAX = 10;

export function judgeKernel(facts: KernelFacts, ports: readonly number[]): Finding[] {
  const findings: Finding[] = [];
  const { mapsMax, backlogMax, swapBytes, swappiness } = facts;
  if (mapsMax !== null && mapsMax < MAPS_MIN)
    findings.push(warning(`vm.max_map_count is ${mapsMax}`, 'sysctl vm.max_map_count=65530'));
  if (backlogMax !== null && backlogMax < BACKLOG_MIN)
    findings.push(
      warning(
        `net.core.somaxconn is ${backlogMax}: clients that all come at once are turned away`,
        'sysctl net.core.somaxconn=1024',
      ),
    );
  if (facts.overcommit === 2)
    findings.push(
      note(
        'vm.overcommit_memory is 2: memory that is reserved and not used counts',
        'sysctl vm.overcommit_memory=0, or enough swap and overcommit_ratio',
      ),
    );
  if (facts.hugePages === 'always')
    findings.push(
      note(
        'transparent huge pages are always on: memory grows, and freeing it may take long',
        'echo madvise > /sys/kernel/mm/transparent_hugepage/enabled',
      ),
    );
  if ((swapBytes ?? 0) > 0 && (swappiness ?? 0) > SWAPPINESS_MAX)
    findings.push(
      note(
        `there is swap, and vm.swappiness is ${swappiness}: a node that was swapped out loses its lease`,
        'sysctl vm.swappiness=1, or no swap for it (MemorySwapMax=0 in the unit)',
      ),
    );
  const taken = ports.filter((port) => isHandedOut(facts, port));
  if (taken.length > 0)
    findings.push(
      note(
        `${taken.length === 1 ? 'port' : 'ports'} ${taken.join(', ')} may be given to an outgoing connection, and be taken when the node starts`,
        `sysctl net.ipv4.ip_local_reserved_ports=${taken.join(',')}`,
      ),
    );
  return findings.length === 0 ? [ok('nothing that would hinder a node')] : findings;
}

function isHandedOut({ portRange, portsReserved }: KernelFacts, port: number): boolean {
  if (portRange === null || port < portRange[0] || port > portRange[1]) return false;
  const reserved = (portsReserved ?? '').split(',').filter((each) => each.trim() !== '');
  return !reserved.some((each) => {
    const [from, to = from] = each.trim().split('-').map(Number) as [number, number?];
    return port >= from && port <= to;
  });
}
