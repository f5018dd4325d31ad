/** What goes on in the background: slots that move, members that learn, and the comparison of copies. */
import type { LiveNode } from '../src/servers/http/live-shape.ts';
import { toldBy } from './findings.ts';
import { bytes, duration, grouped, percent } from './format.ts';
import { Badge, Bar, colorNumber, Facts, Panel } from './panel.tsx';
import { snapshot } from './state.ts';

export function BackgroundPanel() {
  const { nodes, cluster } = snapshot.value!;
  const told = toldBy(nodes);
  const copying = nodes.filter(({ told: one }) => one !== null && one.copy.slotsTotal > 0);
  const driving = told.filter(({ record }) => record.drive !== null);
  const scrubbing = told.filter(({ scrub }) => scrub.isUnderWay);
  const isBusy = cluster!.slotsMoving > 0 || copying.length + driving.length > 0;
  const open = told.reduce((sum, { scrub }) => sum + scrub.open, 0);
  const inFlight = told.reduce((sum, { keysInFlight }) => sum + keysInFlight, 0);
  return (
    <Panel
      id="background"
      title="In the background"
      aside={<Badge tone={isBusy ? 'note' : 'good'}>{isBusy ? 'at work' : 'at rest'}</Badge>}
    >
      {copying.map((node) => (
        <Copying key={node.id} node={node} />
      ))}
      <Facts
        rows={[
          ['Slots on the move', cluster!.slotsMoving === 0 ? 'none' : grouped(cluster!.slotsMoving)],
          driving.length === 0
            ? null
            : ['Compared with PostgreSQL', percent(shareOf(driving.map(({ record }) => record.drive!)))],
          [
            'Scrubbing',
            scrubbing.length === 0 ? 'between two rounds' : scrubWords(scrubbing.map((one) => one.scrub)),
          ],
          open === 0 ? null : ['Repairs under way', grouped(open)],
          ['Keys in flight', grouped(inFlight)],
        ]}
      />
    </Panel>
  );
}

function Copying({ node }: { readonly node: LiveNode }) {
  const { slotsDone, slotsTotal, bytesPerSecond, secondsLeft } = node.told!.copy;
  const left = secondsLeft === null ? '' : `, ${duration(secondsLeft)} left`;
  return (
    <div class="copying">
      <div>
        <b>{node.name}</b> copies{' '}
        <span class="soft number">
          {grouped(slotsDone)} of {grouped(slotsTotal)} slots, {bytes(bytesPerSecond)}/s{left}
        </span>
      </div>
      <Bar
        share={slotsDone / slotsTotal}
        label={`${node.name} has copied`}
        tone={`back-${colorNumber(node.id)}`}
      />
    </div>
  );
}

function shareOf(parts: readonly { readonly slotsDone: number; readonly slotsTotal: number }[]): number {
  const all = parts.reduce((sum, { slotsTotal }) => sum + slotsTotal, 0);
  return all === 0 ? 1 : parts.reduce((sum, { slotsDone }) => sum + slotsDone, 0) / all;
}

function scrubWords(
  rounds: readonly { readonly share: number; readonly secondsLeft: number | null }[],
): string {
  const share = rounds.reduce((sum, one) => sum + one.share, 0) / rounds.length;
  const left = Math.max(0, ...rounds.map(({ secondsLeft }) => secondsLeft ?? 0));
  return `${percent(share)} of a round${left > 0 ? `, ${duration(left)} left` : ''}`;
}
