/** Faults of the wires between members: cut, slow, lossy, narrow, broken. */
import type { Toll, Weather } from './direction.ts';
import type { Shape, SpecOf } from './fault-spec.ts';
import type { Scene } from './scene.ts';
import type { Way } from './wires.ts';

export async function cut(spec: SpecOf<'cut'>, scene: Scene): Promise<boolean> {
  const isSilent = spec.by === 'silence';
  const weather: Weather = isSilent ? { isHeld: true } : { isRefused: true };
  const proof: keyof Toll = isSilent ? 'heldPieces' : 'refused';
  return inWeather(spec, scene, weather, proof, isSilent ? 'cut, in silence' : 'cut, by resets');
}

export async function delay(spec: SpecOf<'delay'>, scene: Scene): Promise<boolean> {
  const weather = { delayMs: scene.number(spec.delayMs), jitterMs: scene.number(spec.jitterMs) };
  const told = `late by ${weather.delayMs} to ${weather.delayMs + weather.jitterMs} ms`;
  return inWeather(spec, scene, weather, 'delayedPieces', told);
}

export async function loss(spec: SpecOf<'loss'>, scene: Scene): Promise<boolean> {
  const told = `loses ${Math.round(spec.share * 100)} %, as TCP shows it`;
  return inWeather(spec, scene, { lossShare: spec.share }, 'lostPieces', told);
}

export async function throttle(spec: SpecOf<'throttle'>, scene: Scene): Promise<boolean> {
  const bytesPerSecond = Math.max(1, scene.number(spec.bytesPerSecond));
  return inWeather(spec, scene, { bytesPerSecond }, 'delayedPieces', `carries ${bytesPerSecond} bytes/s`);
}

export async function resets(spec: SpecOf<'resets'>, scene: Scene): Promise<boolean> {
  const { ways, nodes } = scene.ways(spec.shape, spec.direction);
  scene.began(nodes, `${placeOf(spec, nodes)}: connections reset again and again`);
  const until = performance.now() + scene.number(spec.lastsMs);
  let hit = 0;
  while (performance.now() < until) {
    hit += scene.network.resetAll(ways);
    await scene.hold(spec.everyMs);
  }
  return hit > 0;
}

export async function halfClose(spec: SpecOf<'half-close'>, scene: Scene): Promise<boolean> {
  const { ways, nodes } = scene.ways(spec.shape, spec.direction);
  scene.began(nodes, `${placeOf(spec, nodes)}: connections half closed`);
  return scene.network.halfCloseAll(ways) > 0;
}

interface OnWires {
  readonly shape: Shape;
  readonly direction: 'both' | 'in' | 'out';
  readonly lastsMs: Parameters<Scene['hold']>[0];
}

async function inWeather(
  spec: OnWires,
  scene: Scene,
  weather: Weather,
  proof: keyof Toll,
  told: string,
): Promise<boolean> {
  const { ways, nodes } = scene.ways(spec.shape, spec.direction);
  scene.began(nodes, `${placeOf(spec, nodes)} ${told}`);
  return struckOn(scene, ways, weather, proof, spec.lastsMs);
}

/** Returns true if bytes or connections were affected. */
export async function struckOn(
  scene: Scene,
  ways: readonly Way[],
  weather: Weather,
  proof: keyof Toll,
  lastsMs: Parameters<Scene['hold']>[0],
): Promise<boolean> {
  const before = scene.network.tollOf(ways)[proof];
  const end = scene.network.setWeather(ways, weather);
  try {
    await scene.hold(lastsMs);
  } finally {
    end();
  }
  return scene.network.tollOf(ways)[proof] > before;
}

function placeOf(
  { shape, direction }: Pick<OnWires, 'shape' | 'direction'>,
  nodes: readonly string[],
): string {
  const way = { both: 'to and from', out: 'from', in: 'to' }[direction];
  switch (shape) {
    case 'one':
    case 'halves':
      return `the network ${way} ${nodes.join(', ')}`;
    case 'bridge':
      return `the network of ${nodes.join(', ')}, but for one node,`;
    case 'pair':
      return `the network between ${nodes.join(' and ')} (${direction})`;
    case 'ring':
      return 'the network beyond the next nodes of a ring';
    case 'all':
      return 'the whole network';
  }
}
