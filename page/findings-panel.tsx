/** What is wrong or under way, at the top of the page; and the page of a node that belongs to no cluster yet. */
import type { LiveNode } from '../src/servers/http/live-shape.ts';
import { clock } from './format.ts';
import { calmWords, findingsOf } from './findings.ts';
import { stateOf } from './node-state.ts';
import { Badge, Facts, Panel, Sign } from './panel.tsx';
import { connection, snapshot } from './state.ts';

const SHOWN_MAX = 8;
const VERDICTS = {
  bad: 'Something is wrong',
  warn: 'Served, with a warning',
  note: 'All is well, and something is under way',
  good: 'All is well',
};

export function FindingsPanel() {
  const told = snapshot.value!;
  const findings = findingsOf(told);
  const tone = findings[0]?.tone ?? 'good';
  const shown = findings.slice(0, SHOWN_MAX);
  // Nothing is known about the present, least of all that all is well.
  if (connection.value.kind === 'lost') {
    return (
      <section class="findings off" aria-label="How the cluster is">
        <p class="verdict">
          <Sign tone="off" />
          <strong>Not known</strong>
          <span>
            At {clock(told.at)} it was: {findings[0]?.title ?? 'all well'}.
          </span>
        </p>
      </section>
    );
  }
  return (
    <section class={`findings ${tone}`} aria-label="How the cluster is">
      <p class="verdict">
        <Sign tone={tone} />
        <strong>{VERDICTS[tone]}</strong>
        {findings.length === 0 ? <span>{calmWords(told)}</span> : null}
      </p>
      {shown.length === 0 ? null : (
        <ul>
          {shown.map((one) => (
            <li key={one.title} class={one.tone}>
              <Sign tone={one.tone} />
              <div>
                <strong>{one.title}.</strong> <span>{one.detail}</span>
              </div>
            </li>
          ))}
          {findings.length > SHOWN_MAX ? <li>and {findings.length - SHOWN_MAX} more</li> : null}
        </ul>
      )}
    </section>
  );
}

const WAITS: Readonly<Partial<Record<string, string>>> = {
  starting: 'It has just been started, and opens what it has on its disk.',
  founding:
    'It meets the other members of its configuration: a cluster is founded when all of them are there.',
  entering: 'It asks the members of a cluster to let it in.',
};

export function NoCluster({ node }: { readonly node: LiveNode }) {
  const { told } = node;
  const state = stateOf(node);
  return (
    <Panel
      id="alone"
      title={`${node.name} is in no cluster yet`}
      aside={<Badge tone={state.tone}>{state.word}</Badge>}
    >
      <p>{WAITS[told?.phase ?? ''] ?? 'It takes part in nothing, and serves nothing.'}</p>
      {told === null || told.reasons.length === 0 ? null : (
        <>
          <h3>What it waits for</h3>
          <ul class="plain">
            {told.reasons.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        </>
      )}
      {told === null ? null : (
        <Facts
          rows={[
            [
              'PostgreSQL',
              `${told.record.state}${told.record.reason === '' ? '' : `: ${told.record.reason}`}`,
            ],
            ['Legacy API', told.legacy.state === 'unused' ? 'not used' : told.legacy.state],
          ]}
        />
      )}
      <p class="soft">This page goes on by itself as soon as there is more to tell.</p>
    </Panel>
  );
}
