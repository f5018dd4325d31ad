/** The figures that users look at first. */
import { toldBy } from './findings.ts';
import { bytes, milliseconds, short } from './format.ts';
import { slowestP99, total } from './history.ts';
import { isServing } from './node-state.ts';
import { samples, snapshot } from './state.ts';

export function Tiles() {
  const { nodes, cluster } = snapshot.value!;
  const last = samples.value.at(-1);
  const rate = (which: 'reads' | 'writes' | 'failures'): string => {
    const value = last === undefined ? null : total(which)(last);
    return value === null ? '–' : short(value);
  };
  const slowest = (kind: 'readMs' | 'writeMs'): string => {
    const value = last === undefined ? null : slowestP99(kind)(last);
    return value === null ? '–' : milliseconds(value);
  };
  const told = toldBy(nodes);
  const copies = told.reduce((sum, { keysHeld }) => sum + keysHeld, 0);
  const free = told.map(({ disk }) => disk.freeBytes).filter((value) => value > 0);
  return (
    <dl class="tiles">
      <Tile name="Nodes serving" value={`${nodes.filter(isServing).length} of ${cluster!.memberCount}`} />
      <Tile name="Reads a second" value={rate('reads')} below={`p99 ${slowest('readMs')}`} tone="read" />
      <Tile name="Writes a second" value={rate('writes')} below={`p99 ${slowest('writeMs')}`} tone="write" />
      <Tile
        name="Failures a second"
        value={rate('failures')}
        tone={rate('failures') === '0' || rate('failures') === '–' ? '' : 'fault'}
      />
      <Tile name="Copies of keys" value={short(copies)} below="on all disks together" />
      <Tile name="Least free disk" value={free.length === 0 ? '–' : bytes(Math.min(...free))} />
    </dl>
  );
}

interface TileProps {
  readonly name: string;
  readonly value: string;
  readonly below?: string;
  readonly tone?: string;
}

function Tile({ name, value, below, tone = '' }: TileProps) {
  return (
    <div class={`tile ${tone}`}>
      <dt>{name}</dt>
      <dd>
        <span class="figure">{value}</span>
        {below === undefined ? null : <span class="below">{below}</span>}
      </dd>
    </div>
  );
}
