/**
 * The ring of slots with its owners. The group under the pointer, or reached by the arrow keys, is described in words
 * below: how many slots, which ones, and who holds them in which state.
 */
import { signal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { LiveHolderState } from '../src/servers/http/live-shape.ts';
import { counted, grouped, percent } from './format.ts';
import { isServing } from './node-state.ts';
import { colorNumber, Panel, Swatch } from './panel.tsx';
import {
  ALARM,
  arcsOf,
  groupAt,
  groupsOf,
  labelsOf,
  point,
  RADIUS,
  rangesOf,
  sector,
  slotsServedBy,
  slotsUnserved,
  tracksOf,
  turnOf,
  unservedPath,
} from './ring-geometry.ts';
import type { Arcs, Group, Label, Track } from './ring-geometry.ts';
import { chosenMember, ring, snapshot } from './state.ts';
import type { Ring } from './state.ts';

/** Index of the group; null if none is selected. */
const chosen = signal<number | null>(null);

const LABEL_RADIUS = RADIUS + 14;
/** Fraction of a turn below which a name has no room. */
const LABELLED_MIN = 0.035;
const NAME_LETTERS_MAX = 12;
const RANGES_SHOWN = 6;
/** With up to this many parts, thin lines between them help. */
const LINED_MAX = 150;

const STATE_WORDS: Readonly<Record<LiveHolderState, string>> = {
  serving: 'serves',
  retiring: 'serves, and hands over',
  learning: 'copies',
  down: 'is down',
  waiting: 'is to own it',
};

interface Picture {
  readonly groups: readonly Group[];
  readonly tracks: readonly Track[];
  readonly arcs: readonly Arcs[];
  readonly labels: readonly Label[];
  readonly alarm: string;
}

export function RingPanel() {
  const told = ring.value;
  const picture = useMemo(() => (told === null ? null : pictureOf(told)), [told]);
  if (told === null || picture === null) {
    return (
      <Panel id="ring" title="The ring">
        <p class="soft">Who owns which slots is not known yet.</p>
      </Panel>
    );
  }
  return (
    <Panel
      id="ring"
      title="The ring"
      aside={counted(picture.groups.length, 'group of owners', 'groups of owners')}
    >
      <Slider picture={picture} told={told} />
      <Told picture={picture} told={told} />
      <Legend told={told} picture={picture} />
    </Panel>
  );
}

function pictureOf(told: Ring): Picture {
  const groups = groupsOf(told);
  const tracks = tracksOf(groups);
  return {
    groups,
    tracks,
    arcs: arcsOf(groups, tracks),
    labels: labelsOf(groups),
    alarm: unservedPath(groups),
  };
}

/** The circle as a slider that can be stepped through. */
function Slider({ picture, told }: { readonly picture: Picture; readonly told: Ring }) {
  const { groups } = picture;
  const at = chosen.value === null ? null : Math.min(chosen.value, groups.length - 1);
  const step = (event: KeyboardEvent): void => {
    const next = {
      ArrowRight: (at ?? -1) + 1,
      ArrowDown: (at ?? -1) + 1,
      ArrowLeft: (at ?? groups.length) - 1,
      ArrowUp: (at ?? groups.length) - 1,
      Home: 0,
      End: groups.length - 1,
    }[event.key];
    if (event.key === 'Escape') chosen.value = null;
    if (next === undefined) return;
    event.preventDefault();
    chosen.value = (next + groups.length) % groups.length;
  };
  return (
    <div
      class="ring"
      role="slider"
      tabIndex={0}
      aria-label="Groups of slots with the same owners"
      aria-valuemin={1}
      aria-valuemax={groups.length}
      aria-valuenow={(at ?? 0) + 1}
      aria-valuetext={at === null ? summaryOf(told, picture) : wordsOf(told, groups[at]!)}
      onKeyDown={step}
      onBlur={() => (chosen.value = null)}
    >
      <Circle picture={picture} told={told} at={at} />
    </div>
  );
}

function Circle({ picture, told, at }: { picture: Picture; told: Ring; at: number | null }) {
  const { groups, tracks, arcs, labels, alarm } = picture;
  const follow = (event: PointerEvent): void => {
    const box = (event.currentTarget as SVGSVGElement).getBoundingClientRect();
    const unit = box.height / 400;
    const x = (event.clientX - box.left - box.width / 2) / unit;
    const y = (event.clientY - box.top - box.height / 2) / unit;
    const far = Math.hypot(x, y);
    const isOnRing = far <= ALARM.outer && far >= tracks.at(-1)!.inner;
    chosen.value = isOnRing ? groupAt(groups, turnOf(x, y)) : null;
  };
  const isLined = groups.length <= LINED_MAX;
  const group = at === null ? null : groups[at]!;
  const whole = { inner: tracks.at(-1)!.inner - 2, outer: RADIUS + 2 };
  return (
    <svg
      viewBox="-240 -200 480 400"
      aria-hidden="true"
      class={`${isLined ? 'lined' : ''} ${chosenMember.value === null ? '' : 'dimmed'}`}
      onPointerMove={follow}
      onPointerDown={follow}
      onPointerLeave={() => (chosen.value = null)}
    >
      <Stripes told={told} />
      {arcs.map((one) => {
        const { id, name } = told.members[one.member]!;
        const isChosen = chosenMember.value === name ? 'chosen' : '';
        return (
          <path
            key={`${one.track} ${one.member} ${one.state}`}
            d={one.path}
            class={`arc ${one.state} ${isChosen} ${one.state === 'learning' ? '' : `fill-${colorNumber(id)}`}`}
            {...(one.state === 'learning' ? { fill: `url(#stripes-${id})` } : {})}
          />
        );
      })}
      {alarm === '' ? null : <path d={alarm} class="alarm" />}
      {group === null ? null : <path d={sector(whole, group.from, group.to)} class="pointed" />}
      {labels.map((label) => (
        <Name key={label.member} label={label} told={told} />
      ))}
      <Centre told={told} picture={picture} group={group} />
    </svg>
  );
}

/** Hatching in each member's colour: it copies, and does not serve yet. */
function Stripes({ told }: { readonly told: Ring }) {
  return (
    <defs>
      {told.members.map(({ id }) => (
        <pattern
          key={id}
          id={`stripes-${id}`}
          width="5"
          height="5"
          patternUnits="userSpaceOnUse"
          patternTransform="rotate(45)"
        >
          <rect width="5" height="5" class="stripe-ground" />
          <rect width="2.5" height="5" class={`fill-${colorNumber(id)}`} />
        </pattern>
      ))}
    </defs>
  );
}

function Name({ label, told }: { readonly label: Label; readonly told: Ring }) {
  if (label.share < LABELLED_MIN) return null;
  const { name, alive } = told.members[label.member]!;
  const [x, y] = point(LABEL_RADIUS, label.at).split(' ').map(Number);
  const side = Math.abs(x!) < 24 ? 'middle' : x! > 0 ? 'start' : 'end';
  const shown = name.length > NAME_LETTERS_MAX ? `${name.slice(0, NAME_LETTERS_MAX - 1)}…` : name;
  return (
    <text
      x={x}
      y={y}
      text-anchor={side}
      dominant-baseline="central"
      class={`ring-name ${alive ? '' : 'down'}`}
    >
      {shown}
    </text>
  );
}

function Centre({ told, picture, group }: { told: Ring; picture: Picture; group: Group | null }) {
  const { cluster, nodes } = snapshot.value!;
  if (group !== null) {
    return <Middle figure={grouped(group.slotCount)} words={group.slotCount === 1 ? 'slot' : 'slots'} />;
  }
  const moving = cluster?.slotsMoving ?? 0;
  if (picture.alarm !== '') {
    return <Middle figure={grouped(slotsUnserved(picture.groups))} words="slots not served" tone="bad" />;
  }
  if (moving > 0) return <Middle figure={grouped(moving)} words="slots moving" />;
  return <Middle figure={`${nodes.filter(isServing).length}/${told.members.length}`} words="nodes serve" />;
}

function Middle({ figure, words, tone = '' }: { figure: string; words: string; tone?: string }) {
  return (
    <g class={`middle ${tone}`} text-anchor="middle">
      <text y="2" class="middle-figure">
        {figure}
      </text>
      <text y="22" class="middle-words">
        {words}
      </text>
    </g>
  );
}

/** Describes the selected group in words; its height is constant. */
function Told({ picture, told }: { readonly picture: Picture; readonly told: Ring }) {
  const at = chosen.value === null ? null : Math.min(chosen.value, picture.groups.length - 1);
  if (at === null) return <p class="ring-told soft">{summaryOf(told, picture)}</p>;
  const group = picture.groups[at]!;
  const { text, hasMore } = rangesOf(told.slotRow, group.row, RANGES_SHOWN);
  return (
    <p class="ring-told">
      <b>{counted(group.slotCount, 'slot')}</b>: {text}
      {hasMore ? ', …' : ''}
      <br />
      {group.holders.length === 0 ? 'nobody owns them' : null}
      {group.holders.map(({ member, state }, place) => (
        <span key={member} class="holder">
          <Swatch id={told.members[member]!.id} />
          {told.members[member]!.name} {STATE_WORDS[state]}
          {place === 0 ? ' (first)' : ''}
        </span>
      ))}
    </p>
  );
}

function summaryOf(told: Ring, { groups }: Picture): string {
  const lost = slotsUnserved(groups);
  const served = lost === 0 ? 'all of them served' : `${grouped(lost)} of them not served`;
  return (
    `${grouped(told.slotRow.length)} slots, ${served}. Each has ${counted(told.replicaCount, 'owner')}: ` +
    'the first in the outer track, the others inside.'
  );
}

function wordsOf(told: Ring, { holders, slotCount }: Group): string {
  const names = holders.map(({ member, state }) => `${told.members[member]!.name} ${STATE_WORDS[state]}`);
  return `${counted(slotCount, 'slot')}: ${names.length === 0 ? 'nobody owns them' : names.join(', ')}`;
}

const STATE_KEYS: readonly (readonly [LiveHolderState, string])[] = [
  ['learning', 'copying'],
  ['waiting', 'to own'],
  ['retiring', 'handing over'],
  ['down', 'down'],
];

/** Each member with its share, and the meaning of the patterns, if there are any. */
function Legend({ told, picture }: { readonly told: Ring; readonly picture: Picture }) {
  const states = new Set(picture.arcs.map(({ state }) => state));
  const slots = told.members.map((_, at) => slotsServedBy(picture.groups, at));
  const all = told.slotRow.length * told.replicaCount;
  return (
    <div class="legend">
      <ul>
        {told.members.map(({ id, name }, at) => (
          <li
            key={id}
            onPointerEnter={() => (chosenMember.value = name)}
            onPointerLeave={() => (chosenMember.value = null)}
          >
            <Swatch id={id} />
            {name} <span class="soft number">{percent(slots[at]! / all)}</span>
          </li>
        ))}
      </ul>
      <ul class="states">
        {STATE_KEYS.filter(([state]) => states.has(state)).map(([state, word]) => (
          <li key={state}>
            <span class={`state-key ${state}`} aria-hidden="true" />
            {word}
          </li>
        ))}
        {picture.alarm === '' ? null : (
          <li>
            <span class="state-key alarm" aria-hidden="true" />
            not served
          </li>
        )}
      </ul>
    </div>
  );
}
