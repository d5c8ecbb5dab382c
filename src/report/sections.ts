/** The sections of a report about one run. */
import type { TalkEpisode } from '../process/run-folder/read-talk.ts';
import { groupBy } from '../synchrony/group-by.ts';
import { RUNGS, type Line } from '../viewer/page/figures/rung-figures.ts';
import { scaleOf } from '../viewer/page/figures/scale.ts';
import { directionOf, hueOf, meaningOf, probability } from '../viewer/page/format.ts';
import { forestPlot } from './figures/forest.ts';
import { el, type Markup } from './figures/svg.ts';
import { xyPlot, type Curve, type Frame } from './figures/xy.ts';
import type { OutcomeMean } from './outcome-means.ts';
import {
  count,
  figureOf,
  legend,
  list,
  paragraph,
  section,
  smallFigure,
  table,
  two,
  withSign,
} from './parts.ts';
import type { RunReport } from './read-report.ts';

const PLOT_PX = 700;

/**
 * What the figures allow one to say, worded by them.
 * @param acrossModels what a study of several models is about, which stands first
 */
export function verdictBox({ view }: RunReport, acrossModels?: string): Markup {
  const { claim, evidence, caveat } = view.figures.verdict;
  const early = view.figures.provisional ? 'These figures are provisional. ' : '';
  return el(
    'div',
    { class: 'verdict' },
    acrossModels === undefined ? undefined : paragraph(acrossModels),
    paragraph(claim),
    evidence.length > 0 ? list(evidence) : undefined,
    el('p', { class: 'soft' }, `${early}${caveat}`),
  );
}

/** What was decided before the run; without it everything is exploratory. */
export function preregisteredSection({ facts, view }: RunReport): Markup {
  const { preregistration } = facts.study;
  if (!preregistration)
    return el(
      'p',
      { class: 'soft' },
      'The study names no hypothesis and no primary figure: everything here is exploratory.',
    );
  return section(
    'Decided before the run',
    paragraph(`Hypothesis: ${preregistration.hypothesis}`),
    paragraph(`Primary figure: ${preregistration.primary}`),
    paragraph(
      `Planned: ${count(view.episodes, 'episode')}; finished: ${view.finished}. Every other figure here is exploratory.`,
    ),
  );
}

export function designSection({ facts, view }: RunReport): Markup {
  const { study } = facts;
  const episodes = study.scenarios.length * study.pairs.length * study.conditions.length * study.episodes;
  const models = new Set(Object.values(facts.agents).map(({ name }) => name));
  return section(
    'Design',
    paragraph(
      `${count(study.scenarios.length, 'scenario')}, ${count(study.pairs.length, 'group of agents', 'groups of agents')}, ${count(study.conditions.length, 'condition')}, ${count(study.episodes, 'episode')} of each: ${count(episodes, 'episode')} planned, ${view.finished} finished. An episode has up to ${study.maxTurns} turns of up to ${study.maxTokens} tokens, drawn at temperature ${study.sampling.temperature}. ${count(models.size, 'model')}: ${[...models].join(', ')}.`,
    ),
    table(
      ['condition', 'how the agents are coupled'],
      study.conditions.map((condition) => [condition, meaningOf(condition)]),
    ),
    study.branches
      ? paragraph(
          `At ${Math.round(100 * study.branches.share)} % of the turns the speaker says ${count(study.branches.alternatives, 'alternative')} from the same history.`,
        )
      : undefined,
  );
}

/** More groups than this would be a wall of lines without names. */
const MOST_GROUPS = 24;

/** Each rung of the ladder as a forest plot, all on one scale. */
export function ladderSection({ view }: RunReport): Markup | undefined {
  if (view.figures.groups.length > MOST_GROUPS) return undefined;
  const rungs = RUNGS.map((rung) => ({
    rung,
    lines: [...groupBy(rung.lines(view.figures), ({ condition }) => condition).values()].flat(),
  }));
  const all = rungs.flatMap(({ lines }) => lines);
  const scale = scaleOf(
    all,
    PLOT_PX,
    all.map((line) => directionOf(line, view)),
  );
  const figures = rungs.map(({ rung, lines }) => {
    const hasFigure = lines.some(({ mark }) => mark !== undefined);
    const nameOf = (line: Line): string => directionOf(line, view);
    return [
      el('h3', {}, `${rung.place}. ${rung.name}: ${rung.question}`),
      hasFigure
        ? figureOf(rung.definition, forestPlot(lines, { scale, name: rung.name, directionOf: nameOf }))
        : el('p', { class: 'soft' }, reasonOf(lines) ?? rung.notRun),
    ];
  });
  return section(
    'Figures',
    paragraph(
      'The strongest kind of evidence stands first. Dots are figures, bars their 95 % intervals over scenarios; a hollow dot is not shown to differ from its null; grey ticks are values under a null.',
    ),
    figures,
  );
}

const reasonOf = (lines: readonly Line[]): string | undefined =>
  lines.find(({ missing }) => missing !== '' && missing !== 'not yet')?.missing;

interface Directed {
  sourceRole: number;
  targetRole: number;
}

export function curvesSection({ view, lags, doses }: RunReport): Markup | undefined {
  const nameOf = ({ sourceRole, targetRole }: Directed, condition = 'live'): string =>
    directionOf({ condition, sourceRole, targetRole }, view);
  const live = lags.filter(({ condition }) => condition === 'live');
  const lagCurves = (live.length > 0 ? live : lags).map((curve): Curve => ({
    name: `${curve.condition}, ${nameOf(curve, curve.condition)}`,
    color: hueOf(curve.sourceRole - 1),
    points: curve.points.map(({ lag, value, low, high }) => ({
      x: lag,
      y: value,
      low,
      high,
    })),
    isJoined: true,
  }));
  const doseCurves = doses.map((curve, at): Curve => ({
    name: nameOf(curve),
    color: hueOf(curve.sourceRole - 1),
    points: curve.points.map(({ dose, value, low, high }) => ({
      x: dose + 0.008 * at,
      y: value,
      low,
      high,
    })),
    isJoined: true,
  }));
  if (lagCurves.length + doseCurves.length === 0) return undefined;
  return section(
    'Curves',
    lagCurves.length > 0 ? curvesFigure(LAG, lagCurves) : undefined,
    doseCurves.length > 0 ? curvesFigure(DOSE, doseCurves) : undefined,
  );
}

interface CurvesText extends Frame {
  caption: string;
}

const LAG: CurvesText = {
  caption:
    'Excess by lag: how many turns later the state is that is told. An effect of what was just said fades.',
  title: 'Excess by lag',
  xLabel: 'lag in turns',
  yLabel: 'excess',
  xTicks: [1, 3, 5],
};

const DOSE: CurvesText = {
  caption: 'Excess by dose: the share of utterances that is heard.',
  title: 'Excess by dose',
  xLabel: 'share heard',
  yLabel: 'excess',
  xTicks: [0, 0.25, 0.5, 0.75, 1],
};

const curvesFigure = ({ caption, ...frame }: CurvesText, curves: readonly Curve[]): Markup =>
  smallFigure(caption, xyPlot(curves, frame), legend(curves));

export function outcomesSection({ outcomes }: RunReport): Markup | undefined {
  if (outcomes.length === 0) return undefined;
  return section(
    'Outcomes',
    paragraph(
      'Means over scenarios of the means over their episodes, both agents together; intervals by the jackknife over scenarios.',
    ),
    table(
      ['outcome', 'condition', 'scenarios', 'episodes', 'mean', '95 % interval', 'p'],
      outcomes.map((one) => outcomeRow(one)),
    ),
    outcomes.some(({ outcome }) => outcome.startsWith('intrinsic '))
      ? el(
          'p',
          { class: 'soft' },
          'intrinsic: how much likelier replies are behind what the partner really said than behind what the partner said in another dialogue of the scenario, by the agent’s own model. A coupling of words, no success.',
        )
      : undefined,
    outcomes.some(({ low }) => low === undefined)
      ? el('p', { class: 'soft' }, 'Where all scenarios have the same mean there is no interval and no test.')
      : undefined,
  );
}

function outcomeRow({ outcome, of, scenarios, episodes, mean, low, high, pValue }: OutcomeMean): string[] {
  const write = of.includes(' − ') ? withSign : two;
  const interval = low === undefined || high === undefined ? '–' : `[${write(low)}, ${write(high)}]`;
  const p = pValue === undefined ? '–' : probability(pValue);
  return [outcome, of, String(scenarios), String(episodes), write(mean), interval, p];
}

export function dialoguesSection({ facts, dialogues }: RunReport): Markup | undefined {
  if (dialogues.length === 0) return undefined;
  const scenarios = new Map(facts.study.scenarios.map((scenario) => [scenario.id, scenario]));
  return section(
    'Dialogues',
    paragraph('One episode of each condition, drawn by the seed of the study, whole and unchanged.'),
    dialogues.map((episode) => dialogue(episode, scenarios.get(episode.scenario))),
  );
}

function dialogue(
  { id, condition, order, turns }: TalkEpisode,
  scenario: RunReport['facts']['study']['scenarios'][number] | undefined,
): Markup {
  const goals = order.flatMap((agent, at) => {
    const goal = scenario?.people[at]?.goal ?? '';
    return goal === '' || condition === 'random' ? [] : [`${agent} wants: ${goal}`];
  });
  return el(
    'div',
    { class: 'talk' },
    el('h3', {}, `${condition} · ${scenario?.id ?? ''} · ${id}`),
    condition === 'random' ? undefined : paragraph(scenario?.text ?? ''),
    goals.length > 0 ? el('p', { class: 'soft' }, goals.join(' ')) : undefined,
    el(
      'dl',
      {},
      turns
        .filter(({ finish }) => finish !== 'absent')
        .map(({ agent, text }) => [el('dt', {}, agent), el('dd', {}, text === '' ? '(nothing)' : text)]),
    ),
  );
}

export const faultsSection = ({ faults }: RunReport): Markup =>
  section(
    'What failed, and what was too small to say',
    faults.length > 0 ? list(faults) : paragraph('Nothing: every episode was played, recorded and scored.'),
  );

export function originSection({ facts }: RunReport): Markup {
  const { run, version, node, platform, study } = facts;
  return section(
    'To repeat it',
    el('pre', {}, `entrain rerun ${run}`),
    paragraph(
      `The same words are promised for the same machine, thread count and provider; models other than the default are given with --model. results.json has the whole hashes and the study. Study ${study.name}, seed ${study.seed}, begun ${new Date(facts.startedAtMs).toISOString()}; entrain ${version}, Node ${node}, ${platform}.`,
    ),
    table(
      ['agent', 'model', 'layers', 'dims', 'SHA-256'],
      Object.entries(facts.agents)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([agent, { name, layers, dims, sha256 }]) => [
          agent,
          name,
          String(layers),
          String(dims),
          `${sha256.slice(0, 16)}…`,
        ]),
    ),
  );
}
