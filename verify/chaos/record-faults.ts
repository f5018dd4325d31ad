/** Faults of PostgreSQL and of the wires to it, and of the legacy API. */
import type { Behaviour } from '../../test/support/legacy-server.ts';
import { sqlRows, statusOf, until, type World } from '../world.ts';
import type { Range, SpecOf } from './fault-spec.ts';
import { struckOn } from './network-faults.ts';
import { databaseWays, type Scene } from './scene.ts';

/** Everything that the owners hold is compared, within a budget. */
const DRIVEN_TIMEOUT_MS = 120_000;

export async function postgresKill(spec: SpecOf<'postgres-kill'>, scene: Scene): Promise<boolean> {
  return scene.aloneOnPostgres(async (postgres) => {
    const downMs = scene.number(spec.downMs);
    scene.began(['postgres'], `PostgreSQL crashed, away for ${downMs} ms`);
    await postgres.kill();
    try {
      await scene.hold(downMs);
    } finally {
      await postgres.start();
    }
  });
}

export async function postgresRestart(_spec: SpecOf<'postgres-restart'>, scene: Scene): Promise<boolean> {
  return scene.aloneOnPostgres(async (postgres) => {
    scene.began(['postgres'], 'PostgreSQL restarted in order');
    await postgres.stop();
    await postgres.start();
  });
}

export async function postgresPause(spec: SpecOf<'postgres-pause'>, scene: Scene): Promise<boolean> {
  return scene.aloneOnPostgres(async (postgres) => {
    const lastsMs = scene.number(spec.lastsMs);
    scene.began(['postgres'], `PostgreSQL paused with SIGSTOP for ${lastsMs} ms`);
    postgres.pause();
    try {
      await scene.hold(lastsMs);
    } finally {
      postgres.resume();
    }
  });
}

export async function postgresFailover(_spec: SpecOf<'postgres-failover'>, scene: Scene): Promise<boolean> {
  return scene.aloneOnPostgres(async (postgres) => {
    scene.began(['postgres'], 'PostgreSQL failed over to a standby that had everything');
    await postgres.demote();
    await postgres.promote();
  });
}

export async function postgresLostTail(
  { behindMs }: SpecOf<'postgres-lost-tail'>,
  scene: Scene,
): Promise<boolean> {
  const told = 'PostgreSQL failed over to a standby that was';
  return goesBack(scene, behindMs, 'failover', told);
}

export async function postgresRestored(
  { behindMs }: SpecOf<'postgres-restored'>,
  scene: Scene,
): Promise<boolean> {
  return goesBack(scene, behindMs, 'restore', 'PostgreSQL set back to a backup that was');
}

/** Returns true if rows were lost. It is over when every member reports that PostgreSQL has everything again. */
async function goesBack(
  scene: Scene,
  behindMs: Range,
  how: 'failover' | 'restore',
  told: string,
): Promise<boolean> {
  const { world } = scene;
  let hasLost = false;
  const alone = await scene.aloneOnPostgres(async (postgres) => {
    const ms = scene.number(behindMs);
    const drivesBefore = await drivesOf(world);
    const backup = await postgres.backUp();
    const standing = await versionsIn(world);
    await scene.hold(ms);
    hasLost = (await versionsIn(world)) !== standing;
    scene.began(['postgres'], `${told} ${ms} ms behind`);
    await postgres.goBackTo(backup, how);
    const isDriven = async (): Promise<boolean> => {
      const drives = await drivesOf(world);
      return world.nodes.every(({ name }) => {
        const { drive = 0, isDriven = false } = drives.get(name) ?? {};
        return isDriven && drive > (drivesBefore.get(name)?.drive ?? 0);
      });
    };
    await scene.awaits(until('PostgreSQL has everything again', isDriven, DRIVEN_TIMEOUT_MS));
  });
  return alone && hasLost;
}

/** What a member reports about driving rows into PostgreSQL, if it does that. (R30) */
interface Drive {
  readonly drive: number;
  readonly isDriven: boolean;
}

async function drivesOf(world: World): Promise<Map<string, Drive>> {
  const drives = new Map<string, Drive>();
  for (const node of world.nodes) {
    const { drive } = ((await statusOf(node))?.record ?? {}) as { readonly drive?: Drive };
    if (drive !== undefined) drives.set(node.name, drive);
  }
  return drives;
}

/** Every write raises it. */
async function versionsIn(world: World): Promise<string> {
  const [row] = await sqlRows(
    world,
    "select count(*) || '/' || sum(version) as sum from causeway.record",
    [],
  );
  return String(row!['sum']);
}

export async function postgresMute(spec: SpecOf<'postgres-mute'>, scene: Scene): Promise<boolean> {
  const names = scene.anyNodes(spec.nodes);
  scene.began(names, `replies of PostgreSQL to ${names.join(', ')} vanish`);
  const { replies } = databaseWays(names);
  return struckOn(scene, replies, { isSwallowed: true }, 'swallowedBytes', spec.lastsMs);
}

export async function postgresCut(spec: SpecOf<'postgres-cut'>, scene: Scene): Promise<boolean> {
  const names = scene.anyNodes(spec.nodes);
  scene.began(names, `PostgreSQL cut off from ${names.join(', ')}, in silence`);
  const { statements, replies } = databaseWays(names);
  return struckOn(scene, [...statements, ...replies], { isHeld: true }, 'heldPieces', spec.lastsMs);
}

export async function postgresDelay(spec: SpecOf<'postgres-delay'>, scene: Scene): Promise<boolean> {
  const names = scene.anyNodes(spec.nodes);
  const delayMs = scene.number(spec.delayMs);
  scene.began(names, `statements of ${names.join(', ')} arrive ${delayMs} ms late`);
  return struckOn(scene, databaseWays(names).statements, { delayMs }, 'delayedPieces', spec.lastsMs);
}

const SLOW_MS = 1_500;
/**
 * How many milliseconds longer than requested it stays in force if nobody has called: clients only want a new key now
 * and then.
 */
const UNCALLED_MS_MAX = 10_000;
const BEHAVIOURS: Readonly<Record<Exclude<SpecOf<'legacy'>['behaves'], 'down'>, Behaviour>> = {
  slow: { kind: 'slow', ms: SLOW_MS },
  hangs: { kind: 'hang' },
  errors: { kind: 'status', status: 500 },
  'error-page': { kind: 'body', body: '<html>Sorry!</html>', contentType: 'text/html' },
  'other-key': { kind: 'otherKey', key: 'of:somebody:else' },
  truncated: { kind: 'truncated' },
  resets: { kind: 'reset' },
};

export async function legacy(spec: SpecOf<'legacy'>, scene: Scene): Promise<boolean> {
  const server = scene.rig.legacy!;
  scene.began(['legacy'], `the legacy API: ${spec.behaves}`);
  const callsBefore = server.callCount;
  if (spec.behaves === 'down') await server.goDown();
  else server.behaviour = BEHAVIOURS[spec.behaves];
  try {
    await scene.hold(spec.lastsMs);
    const until = scene.nowMs() + UNCALLED_MS_MAX;
    while (!server.isDown && server.callCount === callsBefore && scene.nowMs() < until) await scene.hold(100);
  } finally {
    server.behaviour = { kind: 'normal' };
    if (server.isDown) await server.comeUp();
  }
  // Without answers nobody can tell who called.
  return spec.behaves === 'down' || server.callCount > callsBefore;
}
