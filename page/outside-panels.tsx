/** What the cluster depends on, as each node sees it: PostgreSQL and the legacy API. */
import type { ComponentChildren } from 'preact';
import type { LiveFacts, LiveNode } from '../src/servers/http/live-shape.ts';
import { spooled, toldBy } from './findings.ts';
import { bytes, duration, grouped, milliseconds, short } from './format.ts';
import type { Tone } from './node-state.ts';
import { Badge, Facts, Panel } from './panel.tsx';
import { snapshot } from './state.ts';

const TONES: Readonly<Record<string, Tone>> = {
  up: 'good',
  down: 'bad',
  failing: 'warn',
  open: 'bad',
  unused: 'off',
};
const WORDS: Readonly<Record<string, string>> = { open: 'not asked for now', unused: 'not used' };

export function RecordPanel() {
  const { nodes, cluster } = snapshot.value!;
  const told = toldBy(nodes);
  const commits = told.map(({ record }) => record.commitMs?.p99 ?? null).filter((value) => value !== null);
  const rows = told.map(({ record }) => record.rowsPerSecond).filter((value) => value !== null);
  const waiting = spooled(told);
  const policy = told[0]?.spool.outage === 'spool' ? 'writes go on, and wait on disk' : 'writes are refused';
  const prefixes = cluster!.notWrittenThrough;
  return (
    <Outside id="record" title="PostgreSQL" nodes={nodes} of={({ record }) => record}>
      <Facts
        rows={[
          ['Commit, p99', commits.length === 0 ? '–' : milliseconds(Math.max(...commits))],
          ['Rows a second', rows.length === 0 ? '–' : short(rows.reduce((sum, value) => sum + value, 0))],
          [
            'Waiting for it',
            waiting.keys === 0 ? 'nothing' : `${grouped(waiting.keys)} keys, ${bytes(waiting.bytes)}`,
          ],
          waiting.keys === 0 ? null : ['Oldest of them', duration(waiting.oldestSeconds)],
          ['When it is down', policy],
          prefixes === 0 ? null : ['Not written to it', `${grouped(prefixes)} prefixes of keys`],
        ]}
      />
    </Outside>
  );
}

export function LegacyPanel() {
  const { nodes } = snapshot.value!;
  const told = toldBy(nodes);
  const rates = told.map(({ rates: one }) => one?.legacyCalls ?? null).filter((value) => value !== null);
  const failures = told.map(({ legacy }) => legacy.failuresPerSecond).filter((value) => value !== null);
  const calls = told.reduce((sum, { legacy }) => sum + legacy.calls, 0);
  const sum = (values: readonly number[]): string =>
    values.length === 0 ? '–' : short(values.reduce((all, value) => all + value, 0));
  return (
    <Outside id="legacy" title="Legacy API" nodes={nodes} of={({ legacy }) => legacy}>
      <Facts
        rows={[
          ['Calls a second', sum(rates)],
          ['Failures a second', sum(failures)],
          ['Calls since the start', grouped(calls)],
        ]}
      />
    </Outside>
  );
}

interface OutsideProps {
  readonly id: string;
  readonly title: string;
  readonly nodes: readonly LiveNode[];
  readonly of: (told: LiveFacts) => { readonly state: string; readonly reason: string };
  readonly children: ComponentChildren;
}

/** One state if all nodes see the same, otherwise the state of each. */
function Outside({ id, title, nodes, of, children }: OutsideProps) {
  const seen = nodes.flatMap(({ name, told }) => (told === null ? [] : [{ name, ...of(told) }]));
  const states = [...new Set(seen.map(({ state }) => state))];
  const isSame = states.length === 1;
  const reasons = new Set(seen.map(({ reason }) => reason).filter((reason) => reason !== ''));
  const word = isSame ? (WORDS[states[0]!] ?? states[0]!) : 'nodes differ';
  return (
    <Panel
      id={id}
      title={title}
      aside={
        <Badge tone={isSame ? (TONES[states[0]!] ?? 'note') : 'warn'}>
          {seen.length === 0 ? 'unknown' : word}
        </Badge>
      }
    >
      {isSame ? null : (
        <ul class="plain seen">
          {seen.map(({ name, state }) => (
            <li key={name}>
              {name} <Badge tone={TONES[state] ?? 'note'}>{WORDS[state] ?? state}</Badge>
            </li>
          ))}
        </ul>
      )}
      {[...reasons].slice(0, 2).map((reason) => (
        <p key={reason} class="reason">
          {reason}
        </p>
      ))}
      {children}
    </Panel>
  );
}
