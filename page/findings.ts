/**
 * What a user should know first: everything that is wrong or under way, the most serious on top, in plain words. If
 * there is nothing, the page says so.
 */
import type { LiveFacts, LiveNode, LiveSnapshot } from '../src/servers/http/live-shape.ts';
import { bytes, counted, duration, grouped, listed } from './format.ts';
import { isServing, stateOf } from './node-state.ts';
import type { NodeState } from './node-state.ts';

export interface Finding {
  readonly tone: 'bad' | 'warn' | 'note';
  readonly title: string;
  readonly detail: string;
}

const GRAVITY = { bad: 0, warn: 1, note: 2 };
/** Milliseconds that a write may take before it is worth mentioning. */
const UNFINISHED_MS_MAX = 5_000;

export function findingsOf(snapshot: LiveSnapshot): Finding[] {
  const { cluster, nodes } = snapshot;
  if (cluster === null) return [];
  const findings: (Finding | null)[] = [
    lost(cluster.slotsLost),
    nodes.some(isServing)
      ? null
      : {
          tone: 'bad',
          title: 'No node serves',
          detail: 'Every read and write is refused until one holds a lease.',
        },
    ...ofNodes(nodes),
    ...ofRecord(nodes),
    ofLegacy(nodes),
    ...ofData(nodes),
    moving(cluster.slotsMoving, nodes),
  ];
  return findings.filter((one) => one !== null).sort((a, b) => GRAVITY[a.tone] - GRAVITY[b.tone]);
}

/** One line for a cluster without findings. */
export function calmWords({ nodes }: LiveSnapshot): string {
  const outside = [
    toldBy(nodes).some(({ record }) => record.state === 'up') ? 'PostgreSQL' : '',
    toldBy(nodes).some(({ legacy }) => legacy.state === 'up') ? 'the legacy API' : '',
  ].filter((name) => name !== '');
  const answers =
    outside.length === 0 ? '' : ` ${listed(outside)} ${outside.length === 1 ? 'answers' : 'answer'}.`;
  return `${nodes.length === 1 ? 'The node serves' : `All ${nodes.length} nodes serve`}, and every slot has its owners.${answers}`;
}

export function toldBy(nodes: readonly LiveNode[]): LiveFacts[] {
  return nodes.map(({ told }) => told).filter((told) => told !== null);
}

/**
 * What waits for PostgreSQL, as reported by the node that has most: replicas hold the same keys, so the numbers are not
 * added up.
 */
export function spooled(told: readonly LiveFacts[]): {
  readonly keys: number;
  readonly bytes: number;
  readonly oldestSeconds: number;
} {
  const most = (of: (spool: LiveFacts['spool']) => number): number =>
    Math.max(0, ...told.map(({ spool }) => of(spool)));
  return {
    keys: most(({ entries }) => entries),
    bytes: most((spool) => spool.bytes),
    oldestSeconds: most(({ oldestMs }) => oldestMs) / 1_000,
  };
}

/** Names of the nodes for which it is true. */
function namesWhere(nodes: readonly LiveNode[], holds: (told: LiveFacts) => boolean): string[] {
  return nodes.filter(({ told }) => told !== null && holds(told)).map(({ name }) => name);
}

function lost(slots: number): Finding | null {
  if (slots === 0) return null;
  return {
    tone: 'bad',
    title: `${counted(slots, 'slot')} without an owner`,
    detail: 'Their keys are served by nobody until a member that held them is back with its disk.',
  };
}

function ofNodes(nodes: readonly LiveNode[]): Finding[] {
  const alike = new Map<string, { state: NodeState; names: string[] }>();
  for (const node of nodes) {
    const state = stateOf(node);
    const entry = alike.get(`${state.word} ${state.detail}`) ?? { state, names: [] };
    alike.set(`${state.word} ${state.detail}`, entry);
    entry.names.push(node.name);
  }
  return [...alike.values()].flatMap(({ state: { word, tone, detail }, names }) => {
    if (tone === 'good') return [];
    return [
      { tone: tone === 'off' ? 'note' : tone, title: `${listed(names)}: ${word}`, detail: sentence(detail) },
    ];
  });
}

function ofRecord(nodes: readonly LiveNode[]): (Finding | null)[] {
  const told = toldBy(nodes);
  const down = namesWhere(nodes, ({ record }) => record.state === 'down');
  const foreign = namesWhere(nodes, ({ record }) => record.isForeign);
  const driving = told.filter(({ record }) => record.drive !== null).length;
  const spools = told.some(({ spool }) => spool.isOn);
  const isFull = told.some(({ spool }) => spool.isOn && spool.isFull);
  const waiting = spooled(told);
  const words = `${counted(waiting.keys, 'key')} (${bytes(waiting.bytes)})`;
  const reason = told.find(({ record }) => record.state === 'down')?.record.reason ?? '';
  const everyone = down.length === told.length;
  return [
    down.length > 0 && !spools
      ? {
          tone: everyone ? 'bad' : 'warn',
          title: everyone ? 'PostgreSQL is down' : `PostgreSQL is out of reach of ${listed(down)}`,
          detail: `Writes are refused${everyone ? '' : ' there'}; reads go on. ${sentence(reason)}`,
        }
      : null,
    spools
      ? {
          tone: isFull ? 'bad' : 'warn',
          title: isFull ? 'The spool is full: writes are refused' : 'Writes go on without PostgreSQL',
          detail: `${words} wait on the replicas’ disks, the oldest for ${duration(waiting.oldestSeconds)}. ${sentence(reason)}`,
        }
      : null,
    !spools && waiting.keys > 0
      ? {
          tone: 'note',
          title: 'PostgreSQL catches up',
          detail: `${words} that were written while it was away are on their way to it.`,
        }
      : null,
    foreign.length > 0
      ? {
          tone: 'bad',
          title: 'Another PostgreSQL answers',
          detail: `${listed(foreign)} will not use it before an operator says so: causeway cluster adopt-record.`,
        }
      : null,
    driving > 0
      ? {
          tone: 'note',
          title: 'PostgreSQL is compared with the cluster',
          detail: 'It failed over or was restored: what it lacks is committed again.',
        }
      : null,
  ];
}

function ofLegacy(nodes: readonly LiveNode[]): Finding | null {
  const open = namesWhere(nodes, ({ legacy }) => legacy.state === 'open');
  const failing = namesWhere(nodes, ({ legacy }) => legacy.state === 'failing');
  const reason = toldBy(nodes).find(({ legacy }) => legacy.reason !== '')?.legacy.reason ?? '';
  if (open.length > 0) {
    const title = 'The legacy API is not asked for now';
    return {
      tone: 'warn',
      title,
      detail: `Keys that are not here yet fail at ${listed(open)}. ${sentence(reason)}`,
    };
  }
  if (failing.length === 0) return null;
  return {
    tone: 'warn',
    title: 'The legacy API fails',
    detail: `Seen by ${listed(failing)}. ${sentence(reason)}`,
  };
}

function ofData(nodes: readonly LiveNode[]): (Finding | null)[] {
  const told = toldBy(nodes);
  const stuck = Math.max(0, ...told.map(({ oldestUnfinishedMs }) => oldestUnfinishedMs));
  const unrepaired = told.reduce((sum, { scrub }) => sum + scrub.unrepaired, 0);
  const conflicts = told.reduce((sum, { scrub }) => sum + scrub.conflicts, 0);
  return [
    stuck > UNFINISHED_MS_MAX
      ? {
          tone: 'warn',
          title: 'A write is not finished',
          detail: `It began ${duration(stuck / 1_000)} ago and waits for a replica or for PostgreSQL.`,
        }
      : null,
    unrepaired + conflicts > 0
      ? {
          tone: 'warn',
          title: 'Scrubbing found what it could not repair',
          detail: `${counted(unrepaired, 'copy', 'copies')} not repaired, ${counted(conflicts, 'conflict')} for people to decide.`,
        }
      : null,
  ];
}

function moving(slots: number, nodes: readonly LiveNode[]): Finding | null {
  if (slots === 0) return null;
  const rate = toldBy(nodes).reduce((sum, { copy }) => sum + copy.bytesPerSecond, 0);
  const pace = rate > 0 ? `${bytes(rate)} a second are copied; ` : '';
  const title = `${grouped(slots)} ${slots === 1 ? 'slot is' : 'slots are'} moving to new owners`;
  return { tone: 'note', title, detail: sentence(`${pace}reads and writes go on meanwhile`) };
}

/** Adds an initial capital and a full stop; '' is unchanged. */
function sentence(text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') return '';
  return `${trimmed[0]!.toUpperCase()}${trimmed.slice(1)}${/[.!?]$/.test(trimmed) ? '' : '.'}`;
}
