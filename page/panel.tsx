/** A panel: a box with a title, the unit of which the page is made. */
import type { ComponentChildren } from 'preact';
import type { Tone } from './node-state.ts';

interface PanelProps {
  readonly id: string;
  readonly title: string;
  /** At the end of the title line. */
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Panel({ id, title, aside, children }: PanelProps) {
  return (
    <section class={`panel panel-${id}`} aria-labelledby={`title-${id}`}>
      <div class="panel-head">
        <h2 id={`title-${id}`}>{title}</h2>
        {aside === undefined ? null : <div class="aside">{aside}</div>}
      </div>
      {children}
    </section>
  );
}

/** A state as a word; its shape shows the tone as well as its colour does. */
export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }) {
  return (
    <span class={`badge ${tone}`}>
      <Sign tone={tone} />
      {children}
    </span>
  );
}

const SIGNS: Readonly<Record<Tone, string>> = {
  good: 'M3.5 8.5l3 3 6-7',
  note: 'M8 3.2a4.8 4.8 0 1 0 4.8 4.8',
  warn: 'M8 3v6M8 12v.6',
  bad: 'M4 4l8 8M12 4l-8 8',
  off: 'M3.5 8h9',
};

export function Sign({ tone }: { readonly tone: Tone }) {
  return (
    <svg viewBox="0 0 16 16" class="sign" aria-hidden="true">
      <path d={SIGNS[tone]} />
    </svg>
  );
}

/** A share as a bar, with the same in words for users who cannot see it. */
export function Bar({ share, label, tone = '' }: { share: number; label: string; tone?: string }) {
  const whole = Math.round(Math.min(1, Math.max(0, share)) * 1_000) / 10;
  return (
    <div
      class={`bar ${tone}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(whole)}
    >
      <div style={{ width: `${whole}%` }} />
    </div>
  );
}

/** Names and values, one below the other. */
export function Facts({ rows }: { readonly rows: readonly (readonly [string, ComponentChildren] | null)[] }) {
  return (
    <dl class="facts">
      {rows
        .filter((row) => row !== null)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd class="number">{value}</dd>
          </div>
        ))}
    </dl>
  );
}

export function Swatch({ id }: { readonly id: number }) {
  return <span class={`swatch back-${colorNumber(id)}`} aria-hidden="true" />;
}

/** How many colours the styles define for members. */
const COLOR_COUNT = 12;

/** A member keeps its colour for ever, because its id is never reused. */
export function colorNumber(id: number): number {
  return (Math.max(1, id) - 1) % COLOR_COUNT;
}
