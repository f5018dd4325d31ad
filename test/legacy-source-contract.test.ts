/** The contract of legacy sources, run over HTTP against a real server and in the simulation. */
import { openLegacySource } from '../src/adapters/legacy-http/source.ts';
import { Prng } from '../src/base/prng.ts';
import { legacySourceConfig } from '../src/core/legacy/legacy-config.ts';
import { SimLegacy } from '../sim/legacy.ts';
import { Scheduler } from '../sim/scheduler.ts';
import { legacySourceContract } from './contracts/legacy-source.ts';
import type { LegacyWorld } from './contracts/legacy-source.ts';
import { SECRETS } from './support/legacy-fixture.ts';
import { LegacyServer } from './support/legacy-server.ts';

async function openReal(): Promise<LegacyWorld> {
  const server = await LegacyServer.start();
  const config = legacySourceConfig({ url: server.url, echoPointer: '/key', queueWaitMsMax: 2_000 });
  const source = openLegacySource(config, { event: () => {}, count: () => {} }, SECRETS);
  return {
    source,
    set: (key, value) => server.data.set(key, value),
    remove: (key) => server.data.delete(key),
    calls: () => server.callCount,
    async trouble(kind) {
      if (kind === 'refusing') return server.goDown();
      server.behaviour =
        kind === 'errors'
          ? { kind: 'status', status: 500 }
          : { kind: kind === 'hanging' ? 'hang' : 'normal' };
      if (server.isDown) await server.comeUp();
    },
    async until(isDone, ms) {
      const end = performance.now() + ms;
      while (!isDone() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 1));
    },
    async end() {
      await new Promise<void>((resolve) => source.close(resolve));
      await server.goDown();
    },
  };
}

async function openSimulated(): Promise<LegacyWorld> {
  const scheduler = new Scheduler();
  const legacy = new SimLegacy(scheduler, new Prng(1));
  const source = legacy.connect({ alive: true, pausedUntil: 0 });
  return {
    source,
    set: (key, value) => legacy.set(key, new TextEncoder().encode(value)),
    remove: (key) => legacy.remove(key),
    calls: () => legacy.callCount,
    async trouble(kind) {
      legacy.rules.errorShare = kind === 'errors' ? 1 : 0;
      legacy.rules.outage = kind === 'refusing' || kind === 'hanging' ? kind : 'none';
    },
    async until(isDone, ms) {
      const end = scheduler.time + ms;
      while (!isDone() && scheduler.step(end));
      if (!isDone()) scheduler.runUntil(end);
    },
    async end() {},
  };
}

legacySourceContract('over HTTP', openReal);
legacySourceContract('simulated', openSimulated);
