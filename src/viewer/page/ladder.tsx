/** The ladder: association, adjustment, intervention, each condition and direction on one scale, beside its null. */
import type { GroupView, Interval, RunView } from '../view-data.ts';
import { ladderTable } from './ladder-table.ts';
import { saveCsv, saveSvg } from './save-figure.ts';
import { byCondition, conditionClass, directionOf, figure, probability, signed } from './words.ts';
import { useRef } from 'preact/hooks';

interface Mark {
  at: Interval | undefined;
  /** Values under the null. */
  nulls: number[];
  text: string;
  title: string;
  /** Drawn pale: it does not count. */
  isPale: boolean;
}

interface Rung {
  name: string;
  question: string;
  definition: string;
  mark(group: GroupView): Mark | undefined;
  /** Why a group has no figure here. */
  missing(group: GroupView): string;
}

const RUNGS: readonly Rung[] = [
  {
    name: '3 intervention',
    question: 'Does what one says change the other?',
    definition:
      'At some turns the speaker says alternatives from the same history, and the listener hears each from its own same state. Influence: the share of the variance of the listener’s state that the choice of words makes. 0 where nobody hears. It says: acts on.',
    mark: influenceMark,
    missing: ({ intervention }) =>
      intervention?.reason ?? 'no branches in this study: set "branches" in the study file',
  },
  {
    name: '2 adjustment',
    question: 'Do the states go together beyond scenario, turn and episode?',
    definition:
      'How much of the next speaker’s state this speaker’s state tells beyond scenario, turn and episode, minus the mean of an exact permutation test. A common input that the design does not hold fixed shows as well.',
    mark: adjustmentMark,
    missing: ({ reason }) => reason ?? 'not yet',
  },
  {
    name: '1 association',
    question: 'Do the states go together?',
    definition:
      'SyncR² as published, beside its nulls (ticks): shuffled turns, and pseudo pairs of other episodes. It also counts what both share without talking.',
    mark: associationMark,
    missing: ({ reason }) => reason ?? 'not yet',
  },
];

function influenceMark({ intervention }: GroupView): Mark | undefined {
  const influence = intervention?.influence;
  if (!intervention || !influence) return undefined;
  const { matched, histories } = intervention;
  const moved = matched ? ` · matched SyncR² ${figure(matched.value)}` : '';
  return {
    at: influence,
    nulls: [0],
    text: `${Math.round(100 * influence.value)} %`,
    title: `influence ${figure(influence.value)} [${figure(influence.low)}, ${figure(influence.high)}], ${histories} histories${moved}`,
    isPale: influence.low <= 0,
  };
}

function adjustmentMark({ adjustment }: GroupView): Mark | undefined {
  if (!adjustment) return undefined;
  const { value, low, high, pValue, qValue, verdict } = adjustment;
  const q = qValue === null ? '' : `, q ${probability(qValue)}`;
  return {
    at: { value, low, high },
    nulls: [0],
    text: signed(value),
    title: `excess ${signed(value)} [${signed(low)}, ${signed(high)}], p ${probability(pValue)}${q}${verdict === 'flagged' ? ', flagged: the interval holds 0' : ''}`,
    isPale: verdict === null ? low <= 0 : verdict !== 'counts',
  };
}

function associationMark({ association }: GroupView): Mark | undefined {
  if (!association) return undefined;
  const { score, shuffled, pseudo } = association;
  const nulls = [shuffled, pseudo].filter((value) => value !== null);
  return {
    at: { value: score, low: score, high: score },
    nulls,
    text: figure(score),
    title: `SyncR² ${figure(score)}; shuffled null ${shuffled === null ? '–' : figure(shuffled)}, pseudo null ${pseudo === null ? '–' : figure(pseudo)}`,
    isPale: nulls.some((value) => value >= score),
  };
}

const [LABEL, WIDTH, ROW, RIGHT] = [128, 420, 26, 58];

interface Scale {
  low: number;
  high: number;
  x(value: number): number;
}

/** One scale for all rungs, so that they compare by eye. */
function scaleOf(groups: readonly GroupView[]): Scale {
  const values = RUNGS.flatMap(({ mark }) =>
    groups.flatMap((group) => {
      const one = mark(group);
      return one ? [...one.nulls, ...(one.at ? [one.at.low, one.at.high] : [])] : [];
    }),
  );
  const low = Math.max(-1, Math.min(-0.05, ...values));
  const high = Math.min(1, Math.max(0.3, ...values)) + 0.02;
  const span = WIDTH - LABEL - RIGHT;
  const x = (value: number): number =>
    LABEL + (span * (Math.min(high, Math.max(low, value)) - low)) / (high - low);
  return { low, high, x };
}

export function Ladder({ run }: { run: RunView }) {
  const place = useRef<HTMLDivElement>(null);
  const groups = run.figures.groups.toSorted(byCondition);
  if (groups.length === 0) return <p class="empty">The first figures come after a few dozen turns.</p>;
  const scale = scaleOf(groups);
  return (
    <div class="ladder" ref={place}>
      {RUNGS.map((rung) => (
        <RungPlot key={rung.name} rung={rung} groups={groups} run={run} scale={scale} />
      ))}
      <div class="saves">
        <button type="button" onClick={() => saveSvg(place.current, `${run.run}-ladder.svg`)}>
          SVG
        </button>
        <button type="button" onClick={() => saveCsv(`${run.run}-ladder.csv`, ladderTable(groups))}>
          CSV
        </button>
      </div>
    </div>
  );
}

function RungPlot({
  rung,
  groups,
  run,
  scale,
}: {
  rung: Rung;
  groups: GroupView[];
  run: RunView;
  scale: Scale;
}) {
  const marked = groups.filter((group) => rung.mark(group));
  return (
    <figure class="rung">
      <figcaption>
        <b>{rung.name}</b> {rung.question}
        <details class="definition">
          <summary aria-label={`What is ${rung.name.slice(2)}?`}>?</summary>
          <p>{rung.definition}</p>
        </details>
      </figcaption>
      {marked.length === 0 ? (
        <p class="soft">{groups[0] ? rung.missing(groups[0]) : ''}</p>
      ) : (
        <svg
          viewBox={`0 0 ${WIDTH} ${ROW * groups.length + 22}`}
          role="img"
          aria-label={summaryOf(rung, groups, run)}
        >
          <line class="zero" x1={scale.x(0)} x2={scale.x(0)} y1={0} y2={ROW * groups.length} />
          {groups.map((group, at) => (
            <Row
              key={group.key}
              group={group}
              mark={rung.mark(group)}
              missing={rung.missing(group)}
              run={run}
              at={at}
              scale={scale}
            />
          ))}
          <Axis scale={scale} y={ROW * groups.length} />
        </svg>
      )}
    </figure>
  );
}

const summaryOf = (rung: Rung, groups: readonly GroupView[], run: RunView): string =>
  groups
    .map(
      (group) =>
        `${group.condition}, ${directionOf(group, run)}: ${rung.mark(group)?.title ?? rung.missing(group)}`,
    )
    .join('. ');

interface RowProps {
  group: GroupView;
  mark: Mark | undefined;
  missing: string;
  run: RunView;
  at: number;
  scale: Scale;
}

function Row({ group, mark, missing, run, at, scale }: RowProps) {
  const y = ROW * at + ROW / 2;
  return (
    <g class={`row ${conditionClass(group.condition)}${mark?.isPale ? ' pale' : ''}`}>
      <title>{`${group.condition}, ${directionOf(group, run)}: ${mark?.title ?? missing}`}</title>
      <rect class="hover" x={0} y={y - ROW / 2} width={WIDTH} height={ROW} />
      <text x={LABEL - 8} y={y - 1} text-anchor="end" class="label">
        {group.condition}
      </text>
      <text x={LABEL - 8} y={y + 9} text-anchor="end" class="sub">
        {directionOf(group, run)}
      </text>
      {mark?.nulls.map((value, place) => (
        <line key={place} class="null" x1={scale.x(value)} x2={scale.x(value)} y1={y - 7} y2={y + 7} />
      ))}
      {mark?.at && (
        <>
          <line class="interval" x1={scale.x(mark.at.low)} x2={scale.x(mark.at.high)} y1={y} y2={y} />
          <circle cx={scale.x(mark.at.value)} cy={y} r={4.5} />
          <text x={WIDTH - 2} y={y + 4} text-anchor="end" class="value">
            {mark.text}
          </text>
        </>
      )}
    </g>
  );
}

function Axis({ scale, y }: { scale: Scale; y: number }) {
  const step = scale.high - scale.low > 0.8 ? 0.25 : 0.1;
  const first = Math.ceil(scale.low / step);
  const ticks = Array.from(
    { length: Math.floor(scale.high / step) - first + 1 },
    (_, at) => (first + at) * step,
  );
  return (
    <g class="axis">
      <line x1={scale.x(scale.low)} x2={scale.x(scale.high)} y1={y} y2={y} />
      {ticks.map((tick) => (
        <g key={tick}>
          <line x1={scale.x(tick)} x2={scale.x(tick)} y1={y} y2={y + 4} />
          <text x={scale.x(tick)} y={y + 16} text-anchor="middle">
            {Number(tick.toFixed(2)).toString().replace('-', '−')}
          </text>
        </g>
      ))}
    </g>
  );
}
