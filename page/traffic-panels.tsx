/** The load of the cluster, and how fast it answers. */
import { Chart } from './chart.tsx';
import { milliseconds, short } from './format.ts';
import { slowestP99, total, typicalP50 } from './history.ts';
import { Panel } from './panel.tsx';

const THROUGHPUT = [
  { name: 'reads', line: total('reads'), color: '--read' },
  { name: 'writes', line: total('writes'), color: '--write' },
  { name: 'failures', line: total('failures'), color: '--fault', isRare: true },
];

const LATENCY = [
  { name: 'write p99', line: slowestP99('writeMs'), color: '--write' },
  { name: 'write p50', line: typicalP50('writeMs'), color: '--write', isDashed: true },
  { name: 'read p99', line: slowestP99('readMs'), color: '--read' },
  { name: 'read p50', line: typicalP50('readMs'), color: '--read', isDashed: true },
];

export function ThroughputPanel() {
  return (
    <Panel id="throughput" title="Operations a second" aside="all nodes together">
      <Chart label="Operations a second" lines={THROUGHPUT} format={short} topMin={10} />
    </Panel>
  );
}

export function LatencyPanel() {
  return (
    <Panel id="latency" title="Latency" aside="p99 of the slowest node, p50 of the typical one">
      <Chart label="Latency" lines={LATENCY} format={milliseconds} topMin={1} />
    </Panel>
  );
}
