/** The nodes, one per row: the state of each, what it does, and what it holds. */
import type { ComponentChildren } from 'preact';
import type { LiveNode, LiveRates } from '../src/servers/http/live-shape.ts';
import { bytes, grouped, milliseconds, percent, short } from './format.ts';
import { rateOf } from './history.ts';
import { copiedShare, stateOf } from './node-state.ts';
import { Badge, Bar, colorNumber, Panel, Swatch } from './panel.tsx';
import { Sparkline } from './sparkline.tsx';
import { chosenMember, samples, snapshot } from './state.ts';

const SLOTS = 16_384;
const SHOWN_MAX = 64;
const COLUMNS = ['Node', 'State', 'Reads a second', 'Writes a second', 'p99', 'Slots', 'Keys', 'Free disk'];

export function NodesPanel() {
  const { nodes, asked, cluster } = snapshot.value!;
  const count = cluster!.memberCount;
  const aside = count > SHOWN_MAX ? `the first ${SHOWN_MAX} of ${grouped(count)}` : '';
  return (
    <Panel id="nodes" title="Nodes" aside={aside}>
      <table class="nodes" role="table">
        <thead role="rowgroup">
          <tr role="row">
            {COLUMNS.map((name) => (
              <th key={name} role="columnheader" scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {nodes.slice(0, SHOWN_MAX).map((node) => (
            <Row key={node.id} node={node} isAsked={node.name === asked} />
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

function Row({ node, isAsked }: { readonly node: LiveNode; readonly isAsked: boolean }) {
  const { told, name, id } = node;
  const state = stateOf(node);
  const p99 = (kind: 'readMs' | 'writeMs'): string => {
    const quantiles = told?.[kind] ?? null;
    return quantiles === null ? '–' : milliseconds(quantiles.p99);
  };
  return (
    <tr
      role="row"
      class={told === null ? 'absent' : ''}
      onPointerEnter={() => (chosenMember.value = name)}
      onPointerLeave={() => (chosenMember.value = null)}
    >
      <th role="rowheader" scope="row">
        <Swatch id={id} />
        <span>
          {name}
          {isAsked ? <span class="tag">this page</span> : null}
          <small>{node.address}</small>
        </span>
      </th>
      <Cell name="State">
        <Badge tone={state.tone}>{state.word}</Badge>
        <small>{state.detail === '' ? leaseOf(node) : state.detail}</small>
        <Learned node={node} />
      </Cell>
      <Cell name="Reads a second">
        <Rate node={node} rate="reads" />
      </Cell>
      <Cell name="Writes a second">
        <Rate node={node} rate="writes" />
      </Cell>
      <Cell name="p99">
        <span class="number">{p99('readMs')}</span> <small>reads</small>
        <br />
        <span class="number">{p99('writeMs')}</span> <small>writes</small>
      </Cell>
      <Cell name="Slots">
        <span class="number">{grouped(node.slotsComplete)}</span>
        <small>
          {percent(node.slotsComplete / SLOTS)} of all
          {node.slotsLearning > 0 ? `, ${grouped(node.slotsLearning)} to copy` : ''}
        </small>
      </Cell>
      <Cell name="Keys">
        <span class="number">{told === null ? '–' : short(told.keysHeld)}</span>
      </Cell>
      <Cell name="Free disk">
        <span class="number">
          {told === null || told.disk.freeBytes === 0 ? '–' : bytes(told.disk.freeBytes)}
        </span>
      </Cell>
    </tr>
  );
}

function Cell({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <td role="cell" data-name={name}>
      <div>{children}</div>
    </td>
  );
}

function leaseOf({ told }: LiveNode): string {
  if (told === null) return '';
  return `${told.leaseHeld ? 'holds a lease' : 'no lease'}, epoch ${told.epoch}`;
}

/** Shown only while it copies. */
function Learned({ node }: { readonly node: LiveNode }) {
  const { told } = node;
  if (told === null || node.slotsLearning === 0) return null;
  return (
    <Bar share={copiedShare(told)} label={`${node.name} has copied`} tone={`back-${colorNumber(node.id)}`} />
  );
}

function Rate({ node, rate }: { readonly node: LiveNode; readonly rate: keyof LiveRates }) {
  const rates = node.told?.rates ?? null;
  return (
    <span class="rate">
      <span class="number">{rates === null ? '–' : short(rates[rate])}</span>
      <Sparkline values={samples.value.map(rateOf(node.name, rate))} color={colorNumber(node.id)} />
    </span>
  );
}
