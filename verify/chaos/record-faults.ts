/** Faults of PostgreSQL and of the wires to it, and of the legacy API. */
import type { Behaviour } from '../../test/support/legacy-server.ts';
import { sqlRows } from '../world.ts';
import type { SpecOf } from './fault-spec.ts';
import { struckOn } from './network-faults.ts';
import { databaseWays, type Scene } from './scene.ts';

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
    await sqlRows(scene.world, 'select pg_promote()', []);
  });
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
  } finally {
    server.behaviour = { kind: 'normal' };
    if (server.isDown) await server.comeUp();
  }
  // Nobody can tell who called while nobody answered.
  return spec.behaves === 'down' || server.callCount > callsBefore;
}
