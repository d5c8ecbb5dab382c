/** More than two agents: a matrix of who moves whom, and a graph whose arrows are as thick as the influence. */
import { useRef, useState } from 'preact/hooks';
import type { GroupView, Interval, InterventionView, RunView } from '../../view-data.ts';
import { byCondition, conditionClass, figure, hueOf, percent, probability, signed } from '../format.ts';
import { Saves } from './saves.tsx';
import type { Cell } from './ladder-table.ts';

interface Arrow {
  from: number;
  to: number;
  /** Without a figure yet: only whether an effect is seen. */
  figure: Interval | undefined;
  isPale: boolean;
  text: string;
  title: string;
}

/** The strongest rung that has figures of all agents: `seen` is rung 3 with too few histories for shares. */
type Kind = 'influence' | 'seen' | 'excess';

const QUESTIONS: Record<Kind, string> = {
  influence:
    'Influence: the share of the variance of the column’s next state that the row’s choice of words makes.',
  seen: 'Does what the row says change the column? How much shows after more turns with alternatives.',
  excess: 'Excess of rung 2, from the row to the column: an association, no effect.',
};

function kindOf(groups: readonly GroupView[]): Kind {
  if (groups.some(({ intervention }) => intervention?.influence)) return 'influence';
  return groups.some(({ intervention }) => (intervention?.sequentialP ?? null) !== null) ? 'seen' : 'excess';
}

export function WhoMovesWhom({ run }: { run: RunView }) {
  const groups = run.figures.groups.filter(({ agents }) => agents > 2).toSorted(byCondition);
  const conditions = [...new Set(groups.map(({ condition }) => condition))];
  const [picked, setPicked] = useState<string>();
  const place = useRef<HTMLDivElement>(null);
  const condition: string | undefined = conditions.find((one) => one === picked) ?? conditions[0];
  if (condition === undefined) return null;
  const own = groups.filter((group) => group.condition === condition);
  const kind = kindOf(own);
  const arrows = own.flatMap((group) => arrowOf(group, kind) ?? []);
  if (arrows.length === 0 && picked === undefined) return null;
  const names = namesOf(run, own[0]?.agents ?? 0);
  return (
    <figure class="who" data-caption={`Who moves whom, ${condition}`}>
      <figcaption>
        <h3>Who moves whom</h3>
        <p class="question">{QUESTIONS[kind]}</p>
        {conditions.length > 1 && (
          <div class="chips" role="group" aria-label="Condition">
            {conditions.map((one) => (
              <button
                key={one}
                type="button"
                class={`chip ${conditionClass(one)}`}
                aria-pressed={one === condition}
                onClick={() => setPicked(one)}
              >
                {one}
              </button>
            ))}
          </div>
        )}
      </figcaption>
      <div class="who-both" ref={place}>
        <Graph names={names} arrows={arrows} />
        <Matrix names={names} arrows={arrows} />
      </div>
      <Saves
        name={`${run.run}-who`}
        title={`Run ${run.run}`}
        place={place}
        table={() => tableOf(names, arrows)}
      />
    </figure>
  );
}

/** Agents by place, where the places are always the same agents'. */
function namesOf({ talks }: RunView, agents: number): string[] {
  return Array.from({ length: agents }, (_, role) => {
    const own = new Set(talks.filter(({ order }) => order.length === agents).map(({ order }) => order[role]));
    const [name] = own;
    return own.size === 1 && name !== undefined ? name : `speaker ${role + 1}`;
  });
}

function arrowOf(group: GroupView, kind: Kind): Arrow | undefined {
  const { sourceRole, targetRole, adjustment, intervention, distance } = group;
  const place = { from: sourceRole - 1, to: targetRole - 1 };
  if (kind === 'seen') return intervention ? { ...place, ...seenOf(intervention) } : undefined;
  const isInfluence = kind === 'influence';
  const found = isInfluence ? intervention?.influence : adjustment;
  if (!found) return undefined;
  const isPale = isInfluence ? found.low <= 0 : adjustment?.verdict !== 'counts';
  const write = isInfluence ? figure : signed;
  const title = `${write(found.value)} [${write(found.low)}, ${write(found.high)}], ${distance} ${distance === 1 ? 'turn' : 'turns'} on`;
  const { value, low, high } = found;
  const text = isInfluence ? percent(value) : signed(value);
  return { ...place, figure: { value, low, high }, isPale, text, title };
}

function seenOf({ sequentialP, histories }: InterventionView): Omit<Arrow, 'from' | 'to'> {
  const isSeen = sequentialP !== null && sequentialP <= 0.05;
  const p = sequentialP === null ? '' : `p ${probability(sequentialP)}, `;
  const title = `${isSeen ? 'seen' : 'not seen yet'}: ${p}${histories} histories`;
  return { figure: undefined, isPale: !isSeen, text: isSeen ? 'yes' : 'not yet', title };
}

/** Of the strongest; an effect of which only is known that it is there counts as a third of it. */
const shareOf = ({ figure: found, isPale }: Arrow, most: number): number =>
  found ? Math.max(0, found.value) / most : isPale ? 0 : 1 / 3;

const mostOf = (arrows: readonly Arrow[]): number =>
  Math.max(0.05, ...arrows.map(({ figure: found }) => Math.abs(found?.value ?? 0)));

const SIZE = 220;
const NODE = 19;

/** Agents on a circle; each direction is an arc of its own, so that both show. */
function Graph({ names, arrows }: { names: readonly string[]; arrows: readonly Arrow[] }) {
  const most = mostOf(arrows);
  const radius = SIZE / 2 - 42;
  const at = (role: number): { x: number; y: number } => {
    const angle = -Math.PI / 2 + (2 * Math.PI * role) / names.length;
    return { x: SIZE / 2 + radius * Math.cos(angle), y: SIZE / 2 + radius * Math.sin(angle) };
  };
  return (
    <svg
      class="who-graph"
      viewBox={`0 0 ${SIZE} ${SIZE}`}
      role="img"
      aria-label={arrows.map(({ from, to, title }) => `${names[from]} to ${names[to]}: ${title}`).join('. ')}
    >
      {arrows.map((arrow) => {
        const share = shareOf(arrow, most);
        const { path, head } = arc(at(arrow.from), at(arrow.to), 5 + 4 * share);
        return (
          <g
            key={`${arrow.from} ${arrow.to}`}
            class={`arrow ${hueOf(arrow.from)}${arrow.isPale ? ' pale' : ''}`}
          >
            <title>{`${names[arrow.from]} → ${names[arrow.to]}: ${arrow.title}`}</title>
            <path class="shaft" d={path} stroke-width={1 + 8 * share} fill="none" />
            <path class="head" d={head} />
          </g>
        );
      })}
      {names.map((name, role) => {
        const { x, y } = at(role);
        return (
          <g key={name} class={`node ${hueOf(role)}`}>
            <circle cx={x} cy={y} r={NODE} />
            <text x={x} y={y + 4} text-anchor="middle">
              {shortOf(name)}
            </text>
          </g>
        );
      })}
    </svg>
  );
}

/** Of a name what fits into its circle. */
function shortOf(name: string): string {
  const short = name.replace('speaker ', '');
  return short.length > 6 ? `${short.slice(0, 4)}…` : short;
}

interface Point {
  x: number;
  y: number;
}

/** A bent line from rim to rim, and its head of so many pixels. */
function arc(from: Point, to: Point, headPx: number): { path: string; head: string } {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy) || 1;
  const [ux, uy] = [dx / length, dy / length];
  const bend = { x: (from.x + to.x) / 2 - uy * 22, y: (from.y + to.y) / 2 + ux * 22 };
  const toward = (a: Point, b: Point, by: number): Point => {
    const size = Math.hypot(b.x - a.x, b.y - a.y) || 1;
    return { x: a.x + ((b.x - a.x) / size) * by, y: a.y + ((b.y - a.y) / size) * by };
  };
  const begin = toward(from, bend, NODE + 2);
  const tip = toward(to, bend, NODE + 2);
  const neck = toward(tip, bend, headPx * 1.4);
  const [hx, hy] = [(tip.x - neck.x) / (headPx * 1.4), (tip.y - neck.y) / (headPx * 1.4)];
  const side = (by: number): string => `${neck.x - hy * by},${neck.y + hx * by}`;
  return {
    path: `M${begin.x},${begin.y} Q${bend.x},${bend.y} ${neck.x},${neck.y}`,
    head: `M${tip.x},${tip.y} L${side(headPx)} L${side(-headPx)} Z`,
  };
}

interface MatrixProps {
  names: readonly string[];
  arrows: readonly Arrow[];
}

function Matrix({ names, arrows }: MatrixProps) {
  const most = mostOf(arrows);
  return (
    <table class="who-matrix">
      <thead>
        <tr>
          <th scope="col">from ↓ to →</th>
          {names.map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {names.map((name, from) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            {names.map((_, to) => {
              const arrow = arrows.find((one) => one.from === from && one.to === to);
              const share = arrow ? shareOf(arrow, most) : 0;
              return (
                <td
                  key={to}
                  class={from === to ? 'self' : arrow?.isPale ? 'pale' : ''}
                  style={{ '--share': `${Math.round(45 * share)}%` }}
                  title={arrow?.title}
                >
                  {arrow?.text ?? (from === to ? '' : '–')}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const tableOf = (names: readonly string[], arrows: readonly Arrow[]): Cell[][] => [
  ['from', 'to', 'value', 'ci_low', 'ci_high', 'said'],
  ...arrows.map(({ from, to, figure: found, title }) => [
    names[from] ?? from,
    names[to] ?? to,
    found?.value ?? null,
    found?.low ?? null,
    found?.high ?? null,
    title,
  ]),
];
