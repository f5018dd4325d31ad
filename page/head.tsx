/** The head of the page: which cluster, as seen by which node, whether it is live, and the choice of light or dark. */
import { connection, snapshot } from './state.ts';
import { choose, theme, THEMES } from './theme.ts';
import type { Theme } from './theme.ts';

const WORDS: Readonly<Record<Theme, string>> = { auto: 'Auto', light: 'Light', dark: 'Dark' };

export function Head() {
  const told = snapshot.value;
  const cluster = told?.cluster ?? null;
  return (
    <header class="head">
      <h1>
        <Mark />
        Causeway
      </h1>
      {told === null ? null : (
        <p class="whose">
          {cluster === null ? null : (
            <>
              Cluster <b>{cluster.name}</b>, epoch <b class="number">{cluster.epoch}</b>,{' '}
            </>
          )}
          as seen by <b>{told.asked}</b>
        </p>
      )}
      <div class="head-end">
        <Live />
        <fieldset class="switch">
          <legend class="unseen">Colours</legend>
          {THEMES.map((one) => (
            <label key={one}>
              <input
                type="radio"
                name="theme"
                value={one}
                checked={theme.value === one}
                onChange={() => choose(one)}
              />
              <span>{WORDS[one]}</span>
            </label>
          ))}
        </fieldset>
      </div>
    </header>
  );
}

function Live() {
  const { kind } = connection.value;
  const word = { connecting: 'Connecting', live: 'Live', lost: 'Not live' }[kind];
  return <span class={`live ${kind}`}>{word}</span>;
}

function Mark() {
  return (
    <svg viewBox="-16 -16 32 32" aria-hidden="true" class="mark">
      <path d="M0 -12A12 12 0 0 1 10.39 6" class="line-0" />
      <path d="M10.39 6A12 12 0 0 1 -10.39 6" class="line-1" />
      <path d="M-10.39 6A12 12 0 0 1 0 -12" class="line-2" />
    </svg>
  );
}
