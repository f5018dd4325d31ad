/** The whole page: its head, a message when there is nothing to show, and the panels. */
import { BackgroundPanel } from './background-panel.tsx';
import { FindingsPanel, NoCluster } from './findings-panel.tsx';
import { Head } from './head.tsx';
import { NodesPanel } from './nodes-panel.tsx';
import { LegacyPanel, RecordPanel } from './outside-panels.tsx';
import { RingPanel } from './ring-panel.tsx';
import { lostForMs, connection, snapshot } from './state.ts';
import { Tiles } from './tiles.tsx';
import { LatencyPanel, ThroughputPanel } from './traffic-panels.tsx';
import { clock, duration } from './format.ts';

export function App() {
  const told = snapshot.value;
  return (
    <div class="page">
      <Head />
      {/* Silent until something changes that a person must hear of. */}
      <div role="status" aria-live="polite">
        <Connection />
      </div>
      {told === null ? null : (
        <main class={connection.value.kind === 'lost' ? 'old' : ''}>
          {told.cluster === null ? (
            <NoCluster node={told.nodes[0]!} />
          ) : (
            <>
              <FindingsPanel />
              <Tiles />
              <div class="columns">
                <RingPanel />
                <div class="stack">
                  <ThroughputPanel />
                  <LatencyPanel />
                </div>
              </div>
              <NodesPanel />
              <div class="thirds">
                <RecordPanel />
                <LegacyPanel />
                <BackgroundPanel />
              </div>
            </>
          )}
        </main>
      )}
    </div>
  );
}

/** The message about the connection while it is down. */
function Connection() {
  const state = connection.value;
  const told = snapshot.value;
  if (state.kind === 'live') return null;
  if (state.kind === 'connecting') {
    return <p class="banner note">Connecting to the node…</p>;
  }
  const why = state.why === 'silent' ? 'The node has gone silent' : 'The node does not answer';
  if (told === null) return <p class="banner bad">{why}. Trying again…</p>;
  return (
    <p class="banner bad">
      <strong>
        {told.asked}: {state.why === 'silent' ? 'silent' : 'no connection'}
      </strong>{' '}
      for {duration(lostForMs.value / 1_000)}. What is shown below is from {clock(told.at)}. Trying again…
    </p>
  );
}
