/** A legacy server and an HTTP source that asks it, for the tests of the source. */
import { onTestFinished, vi } from 'vitest';
import { LegacyServer } from './legacy-server.ts';
import { openLegacySource } from '../../src/adapters/legacy-http/source.ts';
import { readSecret, readSecretFile } from '../../src/config/secrets.ts';
import { legacySourceConfig } from '../../src/core/legacy/legacy-config.ts';
import type { LegacySourceConfig, SecretReference } from '../../src/core/legacy/legacy-config.ts';
import type { LegacyHealth, LegacyOutcome, LegacySource } from '../../src/ports/legacy-source.ts';

/** As the process passes it on. */
export const SECRETS = {
  read: (reference: SecretReference) => readSecret(reference, process.env),
  readAgain: readSecretFile,
};

export class LegacyFixture {
  readonly server: LegacyServer;
  /** The telemetry as lines: the name of the event and its fields. */
  readonly events: string[] = [];
  private source: LegacySource | null = null;

  private constructor(server: LegacyServer) {
    this.server = server;
  }

  static async start(): Promise<LegacyFixture> {
    return new LegacyFixture(await LegacyServer.start());
  }

  /** Opens the source with the settings of the first system, except for those given here. */
  open(settings: Partial<LegacySourceConfig> = {}): LegacySource {
    const config = legacySourceConfig({ url: this.server.url, echoPointer: '/key', ...settings });
    this.source = openLegacySource(
      config,
      {
        event: (_level, name, fields) => this.events.push(`${name} ${JSON.stringify(fields ?? {})}`),
        count: () => {},
      },
      SECRETS,
    );
    return this.source;
  }

  ask(key: string, timeoutMs = 60_000): Promise<LegacyOutcome> {
    return new Promise((resolve) => this.source!.fetch(key, timeoutMs, resolve));
  }

  /** A value's text, or the kind and reason of any other outcome. */
  async tell(key: string, timeoutMs = 60_000): Promise<string> {
    const outcome = await this.ask(key, timeoutMs);
    if (outcome.kind === 'value') return new TextDecoder().decode(outcome.value);
    return outcome.kind === 'absent' ? 'absent' : `${outcome.kind}: ${outcome.reason}`;
  }

  health(): LegacyHealth {
    return this.source!.health();
  }

  async closeSource(): Promise<void> {
    const source = this.source;
    this.source = null;
    if (source !== null) await new Promise<void>((resolve) => source.close(resolve));
  }

  async end(): Promise<void> {
    await this.closeSource();
    await this.server.goDown();
  }
}

/**
 * For behaviour that depends on the source's own clock, which is then moved by hand; timers and the network continue as
 * usual.
 */
export function stopClock(): (ms: number) => void {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  return (ms) => void vi.advanceTimersByTime(ms);
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
