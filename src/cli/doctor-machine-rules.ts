/**
 * Whether a machine is fit for a node, judged by facts that were gathered elsewhere, so that each rule can be tested.
 */
import { GRPC_CONNECTIONS_BEYOND_MAX, GRPC_CONNECTIONS_MAX } from '../core/clients/grpc-limits.ts';
import { HTTP_CONNECTIONS_BEYOND_MAX, HTTP_CONNECTIONS_MAX } from '../core/clients/http-limits.ts';
import { SUSPECT_AFTER_MS } from '../core/limits.ts';
import { fault, millisecondsText, note, ok, warning } from './doctor-finding.ts';
import type { Finding } from './doctor-finding.ts';
import { bytesText } from './figures.ts';

/** Null: this system does not provide it. Infinity: no limit. */
type Known = number | null;

export interface MachineFacts {
  readonly nodeVersion: string;
  readonly cores: number;
  /** The share of the cores that a container may use. */
  readonly coreQuota: Known;
  /** Of the machine, or of the container. */
  readonly memoryBytes: number;
  readonly memoryFreeBytes: number;
  readonly openFilesMax: Known;
  readonly processesMax: Known;
  readonly fileBytesMax: Known;
  readonly addressSpaceBytesMax: Known;
  readonly arenasMax: string | undefined;
  readonly usesGlibc: boolean;
}

export interface MachineNeeds {
  readonly cacheBytes: number;
  /** 0 if there is no Redis door. */
  readonly respConnectionsMax: number;
  readonly memberCount: number;
  /** The node is running already, so it has taken the memory it needs. */
  readonly isRunning: boolean;
}

export interface LoopFacts {
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface ClockFacts {
  /** By how much the wall clock was set during the check. */
  readonly stepMs: number;
  readonly source: string | null;
}

const NODE_VERSION_MIN = [20, 19];
/** What a node needs besides its cache, whatever the number of keys. (docs/CONFIGURATION.md) */
const BASE_BYTES = 250 * 1024 * 1024;
/** The store's tables and logs, the links to members, the program itself. */
const FILES_OF_STORE = 1_100;
const FILES_PER_MEMBER = 4;
const THREADS_MIN = 64;
const LOOP_P99_MS_MAX = 50;
const STEP_MS_MAX = 20;
const SLOW_CLOCKS = ['hpet', 'acpi_pm', 'pit', 'jiffies', 'refined-jiffies'];

export function judgeMachine(facts: MachineFacts, needs: MachineNeeds): Finding[] {
  return [
    judgeVersion(facts.nodeVersion),
    judgeCores(facts),
    judgeMemory(facts, needs),
    judgeFiles(facts, needs),
    ...judgeLimits(facts),
    ...judgeArenas(facts),
  ];
}

function judgeVersion(version: string): Finding {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const [majorMin, minorMin] = NODE_VERSION_MIN as [number, number];
  const isOld = major < majorMin || (major === majorMin && minor < minorMin);
  const text = `Node.js ${version}`;
  return isOld ? fault(text, `install Node.js ${NODE_VERSION_MIN.join('.')} or later`) : ok(text);
}

function judgeCores({ cores, coreQuota }: MachineFacts): Finding {
  const usable = Math.min(cores, coreQuota ?? Infinity);
  const text = `${Number(usable.toFixed(2))} cores`;
  if (usable < 1)
    return warning(
      `${text}: the container is stopped for a part of every tenth of a second`,
      'give it at least one whole core: a node that is stopped loses its lease',
    );
  if (usable < 2)
    return note(
      'one core: the node, its disk and everything else take turns',
      'two cores for each node are better; a second node on this machine makes it worse',
    );
  return ok(text);
}

function judgeMemory(facts: MachineFacts, { cacheBytes, isRunning }: MachineNeeds): Finding {
  const needed = BASE_BYTES + cacheBytes;
  const has = `${bytesText(facts.memoryBytes)} of memory, ${bytesText(facts.memoryFreeBytes)} free`;
  const needs = `the node needs about ${bytesText(needed)}`;
  if (facts.memoryBytes < needed) return fault(`${has}; ${needs}`, 'less cache.bytes, or more memory');
  if (facts.memoryFreeBytes < needed && !isRunning)
    return warning(`${has}; ${needs}`, 'less cache.bytes, or end what else runs here');
  return ok(`${has}; ${needs}`);
}

function judgeFiles(facts: MachineFacts, needs: MachineNeeds): Finding {
  const { openFilesMax } = facts;
  const needed =
    FILES_OF_STORE +
    needs.respConnectionsMax +
    HTTP_CONNECTIONS_MAX +
    HTTP_CONNECTIONS_BEYOND_MAX +
    GRPC_CONNECTIONS_MAX +
    GRPC_CONNECTIONS_BEYOND_MAX +
    needs.memberCount * FILES_PER_MEMBER;
  if (openFilesMax === null) return note('how many files may be open is not known on this system');
  const has = openFilesMax === Infinity ? 'open files: without limit' : `open files: ${openFilesMax} at most`;
  const change = `raise it to ${needed}: LimitNOFILE in the unit, ulimit -n in a shell, nofile for a container`;
  if (openFilesMax < FILES_OF_STORE)
    return fault(`${has}; the store alone may need ${FILES_OF_STORE}`, change);
  if (openFilesMax < needed) {
    const less = needs.respConnectionsMax > 0 ? ', or less resp.connectionsMax' : '';
    return warning(`${has}; with all its connections the node needs ${needed}`, change + less);
  }
  return ok(has);
}

function judgeLimits(facts: MachineFacts): Finding[] {
  const findings: Finding[] = [];
  const { processesMax, fileBytesMax, addressSpaceBytesMax } = facts;
  if (processesMax !== null && processesMax < THREADS_MIN)
    findings.push(
      fault(
        `${processesMax} processes and threads at most; a node has some twenty, and its neighbours count`,
        `raise it to ${THREADS_MIN} or more: ulimit -u, TasksMax in the unit, pids of the container`,
      ),
    );
  if (fileBytesMax !== null && fileBytesMax !== Infinity)
    findings.push(
      warning(`files of ${bytesText(fileBytesMax)} at most`, 'lift it: ulimit -f unlimited, LimitFSIZE'),
    );
  if (addressSpaceBytesMax !== null && addressSpaceBytesMax !== Infinity)
    findings.push(
      warning(
        `${bytesText(addressSpaceBytesMax)} of address space at most, of which Node.js reserves much more than it uses`,
        'lift it: ulimit -v unlimited, LimitAS',
      ),
    );
  return findings;
}

function judgeArenas({ arenasMax, usesGlibc }: MachineFacts): Finding[] {
  if (!usesGlibc || arenasMax !== undefined) return [];
  return [
    note('MALLOC_ARENA_MAX is not set', 'MALLOC_ARENA_MAX=2 saves a node some 60 MB at a million keys'),
  ];
}

export function judgeLoop({ p99Ms, maxMs }: LoopFacts): Finding {
  const text = `a process that does nothing is late by ${millisecondsText(p99Ms)} (p99), ${millisecondsText(maxMs)} at most`;
  const change =
    'see what else runs here, and whether the machine is given its cores (steal time, CPU limits)';
  if (maxMs > SUSPECT_AFTER_MS)
    return fault(`${text}: the others would take the node for dead after ${SUSPECT_AFTER_MS} ms`, change);
  return p99Ms > LOOP_P99_MS_MAX ? warning(text, change) : ok(text);
}

export function judgeClock({ stepMs, source }: ClockFacts): Finding[] {
  const findings: Finding[] = [];
  if (Math.abs(stepMs) > STEP_MS_MAX)
    findings.push(
      warning(
        `the wall clock was moved by ${millisecondsText(Math.abs(stepMs))} while we looked`,
        'let it be slewed, not stepped (chrony: makestep 1 3; no ntpdate in cron): expiry is as exact as the clock',
      ),
    );
  else findings.push(ok('the wall clock goes evenly'));
  if (source !== null && SLOW_CLOCKS.includes(source))
    findings.push(
      warning(
        `the kernel reads the time from ${source}, which is slow`,
        'see dmesg for why tsc was given up; on a virtual machine choose its own clock (kvm-clock, hyperv)',
      ),
    );
  return findings;
}
