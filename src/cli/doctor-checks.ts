/** The parts of `causeway doctor`: each gathers its facts within a deadline and has them judged by rules of its own. */
import { reasonOf } from '../base/reason-of.ts';
import { withoutCredentials } from '../base/credentials.ts';
import type { Config } from '../config/config.ts';
import { CACHE_BYTES_DEFAULT } from '../core/limits.ts';
import { diskFacts } from './doctor-disk.ts';
import { judgeDisk } from './doctor-disk-rules.ts';
import { fault, warning } from './doctor-finding.ts';
import type { Finding } from './doctor-finding.ts';
import { judgeKernel } from './doctor-kernel-rules.ts';
import { judgeDots, judgeNamedKey, judgeNobodysKeys } from './doctor-legacy-rules.ts';
import { kernelFacts, loopFacts, machineFacts, watchClock } from './doctor-machine.ts';
import { judgeClock, judgeLoop, judgeMachine } from './doctor-machine-rules.ts';
import { memberFacts, portFacts } from './doctor-network.ts';
import { judgeMember, judgePort } from './doctor-network-rules.ts';
import type { MemberFacts } from './doctor-network-rules.ts';
import { judgePostgres, refusedBy } from './doctor-postgres-rules.ts';
import { judgeRelative } from './doctor-relative-rules.ts';

export interface Checked {
  readonly part: string;
  readonly findings: readonly Finding[];
}

export interface Examination {
  /** Null if the settings are not usable; then only checks that need none are made. */
  readonly config: Config | null;
  /** Members of the cluster, as far as they are known, this node among them. */
  readonly members: readonly { readonly name: string; readonly address: string }[];
  readonly env: NodeJS.ProcessEnv;
  /** Time limit for each part. */
  readonly timeoutMs: number;
  /** Keys that the operator says exist in the legacy API. */
  readonly legacyKeys: readonly string[];
  /** Called when the check of a part begins. */
  readonly begin: (part: string) => void;
}

type Look = (signal: AbortSignal) => Promise<Finding[]>;

/** Milliseconds within which a member of the cluster must answer. */
const MEMBER_TIMEOUT_MS = 2_000;

export async function examine(examination: Examination): Promise<Checked[]> {
  const { config, env, timeoutMs, begin } = examination;
  const lookAt = (part: string, look: Look): Promise<Finding[]> => {
    begin(part);
    return within(part, timeoutMs, look);
  };
  const clockNow = watchClock();
  // First and alone, because later checks would disturb the measurement.
  const loop = await lookAt('the event loop', async () => [judgeLoop(await loopFacts())]);
  begin('the members');
  const members = await membersSeen(examination);
  const isRunning = members.some(
    (member) => member.name === config?.node.name && member.answeredBy === member.name,
  );
  const machine = await lookAt('the machine', async () =>
    judgeMachine(await machineFacts(env), needsOf(config, isRunning)),
  );
  const checked: Checked[] = [];
  const add = async (part: string, look: Look): Promise<void> => {
    checked.push({ part, findings: await lookAt(part, look) });
  };
  await add('Kernel', async () => judgeKernel(await kernelFacts(), config === null ? [] : portsOf(config)));
  if (config !== null) {
    await add('Disk', async (signal) => judgeDisk(await diskFacts(config.node.dataDir, signal), config.disk));
    await add('Network', () => lookAtNetwork(config, members, isRunning));
    if (config.postgres !== null)
      await add('PostgreSQL', (signal) => lookAtPostgres(config, timeoutMs, signal));
    if (config.legacy !== null)
      await add('Legacy API', (signal) => lookAtLegacy(examination, config, signal));
  }
  const clock = await lookAt('the clock', async () => judgeClock(await clockNow()));
  return [{ part: 'Machine', findings: [...machine, ...loop, ...clock] }, ...checked];
}

/** A check that fails or hangs becomes a finding itself. */
export async function within(what: string, timeoutMs: number, look: Look): Promise<Finding[]> {
  const ending = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding[]>((resolve) => {
    timer = setTimeout(() => {
      ending.abort();
      const change = 'see why it hangs, or give it longer (--timeout)';
      resolve([warning(`${what}: not looked at to the end within ${timeoutMs} ms`, change)]);
    }, timeoutMs);
  });
  try {
    return await Promise.race([look(ending.signal), late]);
  } catch (error) {
    const reason = reasonOf(error);
    return [fault(`${what}: ${reason}`, 'put that right, then look again')];
  } finally {
    clearTimeout(timer);
  }
}

function needsOf(config: Config | null, isRunning: boolean): Parameters<typeof judgeMachine>[1] {
  return {
    cacheBytes: config?.cache.bytes ?? CACHE_BYTES_DEFAULT,
    respConnectionsMax: config?.resp.port === undefined ? 0 : config.resp.connectionsMax,
    memberCount: config?.cluster.members.length ?? 0,
    isRunning,
  };
}

function portsOf({ grpc, http, resp }: Config): number[] {
  return [grpc.port, http.port, resp.port ?? 0].filter((port) => port !== 0);
}

function membersSeen({ members, timeoutMs }: Examination): Promise<MemberFacts[]> {
  return Promise.all(members.map((member) => memberFacts(member, Math.min(timeoutMs, MEMBER_TIMEOUT_MS))));
}

async function lookAtNetwork(
  config: Config,
  members: readonly MemberFacts[],
  isRunning: boolean,
): Promise<Finding[]> {
  const doors = (['grpc', 'http', 'resp'] as const).filter((door) => (config[door].port ?? 0) !== 0);
  const ports = await Promise.all(
    doors.map((door) => portFacts(door, config[door].host, config[door].port!)),
  );
  return [
    ...ports.map((facts) => judgePort(facts, isRunning)),
    ...members.flatMap((facts) => judgeMember(facts, config.node.name)),
  ];
}

async function lookAtPostgres(config: Config, timeoutMs: number, signal: AbortSignal): Promise<Finding[]> {
  const { serverFacts } = await import('./doctor-postgres.ts');
  const settings = config.postgres!;
  try {
    const told = await serverFacts(settings, Math.min(timeoutMs, settings.connectTimeoutMs), signal);
    if (told.kind === 'other') return [fault('it is not what the settings say', told.why)];
    if (told.kind === 'relative') return judgeRelative(told.facts);
    return judgePostgres(told.facts, config.cluster.members.length);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // The server's own message is cleaned, too: it may repeat what it was sent.
    return [refusedBy(code ?? '', message === '' ? String(code) : withoutCredentials(message))];
  }
}

async function lookAtLegacy(
  { env, legacyKeys }: Examination,
  config: Config,
  signal: AbortSignal,
): Promise<Finding[]> {
  const { LegacyProbe } = await import('./doctor-legacy.ts');
  const legacy = config.legacy!;
  const probe = await LegacyProbe.open({ legacy, valueBytesMax: config.limits.valueBytesMax }, env, signal);
  try {
    const findings = judgeNobodysKeys(await probe.nobodysKeys(), legacy.timeoutMs);
    for (const key of legacyKeys) {
      const named = await probe.namedKey(key);
      findings.push(judgeNamedKey(named, legacy.trustedEscapes));
      if (named.meaning !== 'value') continue;
      const steps = await probe.stepsBack(key);
      if (steps !== null) findings.push(judgeDots(steps.plain, steps.escaped));
    }
    const isAnswered = !findings.some(({ level }) => level === 'fault');
    if (isAnswered && legacyKeys.length === 0 && legacy.trustedEscapes === '')
      findings.push({
        level: 'note',
        text: 'whether it understands %2F, only a record that has a slash in its key can show',
        change: 'name one: --legacy-key KEY',
      });
    return findings;
  } finally {
    await probe.close();
  }
}
