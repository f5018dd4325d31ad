/**
 * The catalogue: for each kind of fault, what it does, and what it needs of the world. A new kind needs a schema in
 * `fault-spec.ts`, a function next to similar ones, and a line here.
 */
import type { World } from '../world.ts';
import { FakeClocks } from './fake-clocks.ts';
import type { FaultKind, FaultSpec, SpecOf } from './fault-spec.ts';
import * as load from './load-faults.ts';
import * as machine from './machine-faults.ts';
import { NamespaceNetwork } from './namespace-network.ts';
import { Namespaces } from './namespaces.ts';
import * as network from './network-faults.ts';
import * as processes from './process-faults.ts';
import * as record from './record-faults.ts';
import { scale } from './scale-faults.ts';
import type { Scene } from './scene.ts';
import { SmallDisks } from './small-disks.ts';

/** Returns true if it took effect: somebody noticed it. */
type Strike<Kind extends FaultKind> = (spec: SpecOf<Kind>, scene: Scene) => Promise<boolean>;
type Need = 'processes' | 'own' | 'members' | 'wires' | 'postgres' | 'legacy' | 'disks' | 'clocks' | 'trace';

const CATALOGUE: { readonly [Kind in FaultKind]: { readonly strike: Strike<Kind>; readonly needs: Need } } = {
  kill: { strike: processes.kill, needs: 'processes' },
  'kill-beside-learner': { strike: processes.killBesideLearner, needs: 'processes' },
  stop: { strike: processes.stop, needs: 'processes' },
  'rolling-restart': { strike: processes.rollingRestart, needs: 'processes' },
  pause: { strike: processes.pause, needs: 'processes' },
  slow: { strike: processes.slow, needs: 'processes' },
  wipe: { strike: processes.wipe, needs: 'processes' },
  scale: { strike: scale, needs: 'members' },
  cut: { strike: network.cut, needs: 'wires' },
  delay: { strike: network.delay, needs: 'wires' },
  loss: { strike: network.loss, needs: 'wires' },
  throttle: { strike: network.throttle, needs: 'wires' },
  resets: { strike: network.resets, needs: 'wires' },
  'half-close': { strike: network.halfClose, needs: 'wires' },
  'postgres-kill': { strike: record.postgresKill, needs: 'postgres' },
  'postgres-restart': { strike: record.postgresRestart, needs: 'postgres' },
  'postgres-pause': { strike: record.postgresPause, needs: 'postgres' },
  'postgres-failover': { strike: record.postgresFailover, needs: 'postgres' },
  'postgres-lost-tail': { strike: record.postgresLostTail, needs: 'postgres' },
  'postgres-restored': { strike: record.postgresRestored, needs: 'postgres' },
  'postgres-mute': { strike: record.postgresMute, needs: 'wires' },
  'postgres-cut': { strike: record.postgresCut, needs: 'wires' },
  'postgres-delay': { strike: record.postgresDelay, needs: 'wires' },
  flood: { strike: load.flood, needs: 'own' },
  'slow-reader': { strike: load.slowReader, needs: 'own' },
  legacy: { strike: record.legacy, needs: 'legacy' },
  'disk-full': { strike: machine.diskFull, needs: 'disks' },
  'disk-fills': { strike: machine.diskFills, needs: 'disks' },
  'sync-slow': { strike: machine.syncSlow, needs: 'trace' },
  'sync-fails': { strike: machine.syncFails, needs: 'trace' },
  clock: { strike: machine.clock, needs: 'clocks' },
};

export function strike(spec: FaultSpec, scene: Scene): Promise<boolean> {
  const { strike } = CATALOGUE[spec.fault] as { strike: Strike<FaultKind> };
  return strike(spec, scene);
}

export const NETWORKS = ['auto', 'namespaces', 'proxy'] as const;
export type NetworkChoice = (typeof NETWORKS)[number];

/**
 * The surroundings that a cluster started for the run needs, as far as this machine can provide them. `auto`: packets
 * if this machine and all faults support them, otherwise proxies. Throws if namespaces are requested and not available.
 */
export function surroundingsFor(
  specs: readonly FaultSpec[],
  choice: NetworkChoice = 'proxy',
): {
  network?: 'proxy' | 'namespaces';
  disks: boolean;
  clocks: boolean;
} {
  const needs = new Set(specs.map((spec) => CATALOGUE[spec.fault].needs));
  return {
    ...networkFor(specs, needs, choice),
    disks: needs.has('disks') && SmallDisks.whyNot() === null,
    clocks: needs.has('clocks') && FakeClocks.whyNot() === null,
  };
}

function networkFor(
  specs: readonly FaultSpec[],
  needs: ReadonlySet<Need>,
  choice: NetworkChoice,
): { network?: 'proxy' | 'namespaces' } {
  if (choice === 'namespaces') {
    const whyNot = Namespaces.whyNot();
    if (whyNot !== null) throw new Error(whyNot);
    return { network: 'namespaces' };
  }
  if (!needs.has('wires')) return {};
  const canBePackets =
    choice === 'auto' &&
    specs.every((spec) => NamespaceNetwork.whyNot(spec) === null) &&
    Namespaces.whyNot() === null;
  return { network: canBePackets ? 'namespaces' : 'proxy' };
}

/** Why this fault is not possible here; null if it is. */
export function whyLeftOut(spec: FaultSpec, world: World): string | null {
  const { needs } = CATALOGUE[spec.fault];
  if (needs === 'processes') return null;
  if (world.rig === null) return 'it needs a cluster of its own (without --nodes-from)';
  switch (needs) {
    case 'own':
      return null;
    case 'members':
      return (world.rig.network?.takesNewcomers ?? true)
        ? null
        : 'newcomers would be wired past the proxies of the other faults';
    case 'wires':
      return world.rig.network!.whyNot(spec);
    case 'postgres':
      return null;
    case 'legacy':
      return world.rig.legacy === null ? 'this cluster reads from no legacy API' : null;
    case 'disks':
      return world.rig.disks === null ? SmallDisks.whyNot() : null;
    case 'clocks':
      return world.rig.clocks === null ? FakeClocks.whyNot() : null;
    case 'trace':
      return machine.whyNoTrace();
  }
}
