/**
 * One word for the state of each node, and how serious it is, from what the epoch says and what the node itself
 * reports.
 */
import type { LiveFacts, LiveNode } from '../src/servers/http/live-shape.ts';
import { counted, duration, percent } from './format.ts';

/** How serious, the worst first. */
export type Tone = 'bad' | 'warn' | 'note' | 'good' | 'off';

export interface NodeState {
  readonly word: string;
  readonly tone: Tone;
  /** The next thing that a user would ask; '' for nothing. */
  readonly detail: string;
}

export function stateOf(node: LiveNode): NodeState {
  const { told, alive } = node;
  if (told === null) return silent(node);
  if (told.disk.state === 'refusing') return { word: 'disk full', tone: 'bad', detail: 'it refuses writes' };
  if (node.slow !== '') return { word: 'slow', tone: 'warn', detail: node.slow };
  switch (told.phase) {
    case 'serving':
      return serving(node);
    case 'learning':
      return learning(node);
    case 'starting':
    case 'founding':
    case 'entering':
      return { word: told.phase, tone: 'note', detail: told.reasons.at(0) ?? '' };
    case 'stopping':
      return { word: 'stopping', tone: 'note', detail: 'it leaves in order' };
    case 'left':
      return { word: 'left', tone: 'off', detail: 'its slots are with others' };
    default:
      return { word: told.phase, tone: alive ? 'note' : 'warn', detail: '' };
  }
}

function silent({ alive, standing, linkUp }: LiveNode): NodeState {
  if (standing === 'healed') {
    return { word: 'replaced', tone: 'warn', detail: 'gone so long that others took its slots' };
  }
  if (!alive) return { word: 'down', tone: 'bad', detail: 'it takes no part until it is back' };
  const detail = linkUp
    ? 'it takes part, but does not answer this page'
    : 'no link to it; it may be going down';
  return { word: 'silent', tone: linkUp ? 'warn' : 'bad', detail };
}

function serving(node: LiveNode): NodeState {
  const told = node.told!;
  if (!told.leaseHeld) return { word: 'no lease', tone: 'bad', detail: 'it serves nothing without one' };
  if (told.disk.state === 'low') {
    return { word: 'disk low', tone: 'warn', detail: 'it takes no part in writes' };
  }
  if (told.load.state === 'refusing') {
    return { word: 'overloaded', tone: 'warn', detail: 'it refuses what it cannot get done' };
  }
  if (node.standing === 'leaving') {
    const left = node.slotsComplete + node.slotsLearning;
    return { word: 'leaving', tone: 'note', detail: `${counted(left, 'slot')} to hand over` };
  }
  if (node.slotsLearning > 0) return { word: 'serving', tone: 'good', detail: copying(node) };
  return { word: 'serving', tone: 'good', detail: '' };
}

function learning(node: LiveNode): NodeState {
  return { word: 'learning', tone: 'note', detail: copying(node) };
}

/** For example "40 % copied, 12 s left". */
function copying({ told }: LiveNode): string {
  const { secondsLeft } = told!.copy;
  const left = secondsLeft === null ? '' : `, ${duration(secondsLeft)} left`;
  return `${percent(copiedShare(told!))} copied${left}`;
}

/** By slots, if the node reports them. */
export function copiedShare({ copy, learnedShare }: LiveFacts): number {
  return copy.slotsTotal > 0 ? copy.slotsDone / copy.slotsTotal : learnedShare;
}

/** Whether it does the work of a member. */
export function isServing({ told }: LiveNode): boolean {
  return told !== null && told.phase === 'serving' && told.leaseHeld;
}
