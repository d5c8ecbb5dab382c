/**
 * The script of the status page: fetches the scores every two seconds and draws them. Read-only; all text is inserted
 * as text, never as markup.
 */
import { MINIMUMS } from '../../../protocol/minimums.ts';

export const PAGE_SCRIPT = String.raw`'use strict';
const POLL_MS = 2000;
const MEANING = {
  live: 'the agents talk', monologue: 'both speak, neither hears', reader: 'a third only reads',
  'shared-input': 'both read the same third text', random: 'random text', dose: 'they hear a share',
};
const ROLES = ['opener', 'answerer'];
const MINIMUM_PAIRS = ${MINIMUMS.samples};
const byId = (id) => document.getElementById(id);
const number = (value) => (value === null || value === undefined ? '–' : value.toFixed(3).replace('-', '−'));
const count = (value) => value.toLocaleString('en').replaceAll(',', ' ');

/** 1 scenario, 2 scenarios. */
function named(value, one) {
  return value === 1 ? one : one + 's';
}

/** Paper mode cuts off what is below zero: a bare 0.000 would look like a figure. */
function clipped(value) {
  return number(value) + (value === 0 ? ' (clipped)' : '');
}

/** What was cut off, where the mean itself is below zero. */
const unclipped = (paper) => (paper.unclipped < 0 ? ['unclipped ' + number(paper.unclipped)] : []);

/** Who left of itself, at the end of a run or when told to stop, is no alarm. */
function streamState({ connected, done }) {
  if (connected) return { text: 'streaming', kind: '' };
  return done ? { text: 'done', kind: 'done' } : { text: 'away', kind: 'away' };
}

const ordinal = (place) => place + (['st', 'nd', 'rd'][place - 1] || 'th');
const roleName = (role, agents) => (agents === 2 ? ROLES[role - 1] : ordinal(role) + ' speaker');

function make(tag, attributes, ...children) {
  const spaced = ['svg', 'path', 'line', 'rect', 'circle', 'text'].includes(tag);
  const node = spaced ? document.createElementNS('http://www.w3.org/2000/svg', tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** One scale for every interval on the page, so that cards can be compared by eye. */
function rangeOf(groups) {
  const values = groups.flatMap(({ strict }) => (strict ? [strict.ciLow, strict.ciHigh, 0] : []));
  const low = Math.min(-0.05, ...values), high = Math.max(0.2, ...values);
  const margin = 0.06 * (high - low);
  return { low: low - margin, high: high + margin };
}

function interval(strict, range) {
  const x = (value) => 1000 * (value - range.low) / (range.high - range.low);
  const svg = make('svg', { class: 'interval', viewBox: '0 0 1000 34', preserveAspectRatio: 'none', role: 'img' });
  const label = 'excess ' + number(strict.excess) + ', 95 % interval ' + number(strict.ciLow) + ' to ' + number(strict.ciHigh);
  svg.setAttribute('aria-label', label);
  const line = (kind, at, y1, y2) => make('line', { class: kind, x1: x(at), x2: x(at), y1, y2, 'vector-effect': 'non-scaling-stroke' });
  svg.append(
    make('line', { class: 'axis', x1: 0, x2: 1000, y1: 17, y2: 17 }),
    line('zero', 0, 0, 34),
    make('rect', { class: 'band', x: x(strict.ciLow), y: 8, width: x(strict.ciHigh) - x(strict.ciLow), height: 18 }),
    line('edge', strict.excess, 4, 30),
  );
  return svg;
}

function sparkline(curve) {
  const points = curve.filter((point) => point.strict !== null || point.paper !== null);
  if (points.length < 2) return null;
  const values = points.flatMap((point) => [point.strict, point.paper]).filter((value) => value !== null);
  const low = Math.min(0, ...values), high = Math.max(0.1, ...values);
  const from = points[0].samples, to = points.at(-1).samples;
  const x = (point) => (to > from ? 1000 * (point.samples - from) / (to - from) : 500);
  const y = (value) => 42 - 40 * (value - low) / (high - low);
  const path = (key) => points.filter((point) => point[key] !== null)
    .map((point, index) => (index === 0 ? 'M' : 'L') + x(point).toFixed(1) + ' ' + y(point[key]).toFixed(2)).join('');
  const svg = make('svg', { class: 'spark', viewBox: '0 0 1000 44', preserveAspectRatio: 'none', role: 'img', 'aria-label': 'scores as turn pairs came in' });
  svg.append(
    make('line', { class: 'zero', x1: 0, x2: 1000, y1: y(0), y2: y(0), 'vector-effect': 'non-scaling-stroke' }),
    make('path', { class: 'line-paper', d: path('paper') }),
    make('path', { class: 'line-strict', d: path('strict') }),
  );
  const pairs = count(from) + ' to ' + count(to) + ' turn pairs';
  return make('figure', {}, svg, make('figcaption', { class: 'detail' }, 'as they came in, ' + pairs + ': excess; paper mode (thin)'));
}

function scores(group, range) {
  const { strict, paper } = group;
  const left = make('div', {}, make('p', { class: 'label' }, 'excess beyond scenario, turn and episode' + (group.agents > 2 ? ', ' + group.distance + named(group.distance, ' turn') + ' on' : '')));
  if (strict) {
    // Coloured only where it counts: a small q beside an interval that holds zero is flagged.
    const flat = group.verdict === 'counts' ? '' : ' flat';
    const p = 'p = ' + strict.pValue.toFixed(3) + ' · q = ' + number(group.qValue);
    left.append(
      make('p', { class: 'big' + flat }, number(strict.excess)),
      interval(strict, range),
      make('p', { class: 'detail' }, '95 %: ' + number(strict.ciLow) + ' … ' + number(strict.ciHigh) + ' · ' + p),
      make('p', { class: 'detail' }, 'score ' + number(strict.score) + ' · permuted, mean ' + number(strict.nullMean) + ' · z ' + strict.z.toFixed(1)),
      ...(group.verdict === 'flagged' && !talkFault(group) ? [make('p', { class: 'detail' }, 'flagged: q ≤ 0.05, and score or interval do not lie above 0')] : []),
      make('p', { class: 'detail' }, 'effect f² ' + number(group.effectSize)),
      ...besides(group.beside),
    );
  } else left.append(make('p', { class: 'reason' }, group.reason || 'No score.'), progress(group));
  const right = make('div', { class: 'second' }, make('p', { class: 'label' }, 'paper mode'), ...paperMode(paper));
  return make('div', { class: 'scores' }, left, right);
}

const TALK = { empty: 'empty', repeated: 'repeated', copied: 'copied from the partner', identical: 'the same in another episode', cut: 'cut at maxTokens' };

/** Why no score of the group counts, where its talk is so. */
function talkFault({ talk }) {
  return talk && talk.faults.length ? 'does not count: half or more of the utterances are ' + talk.faults.map((fault) => TALK[fault]).join(' and ') : undefined;
}

/** Counterfactual branches: what each figure allows to say, and why there is none. */
function branchLines({ branches }) {
  if (!branches) return [];
  const { influence, matched, sequential, histories, reason } = branches;
  const range = ({ ciLow, ciHigh }) => ' [' + ciLow.toFixed(3) + ', ' + ciHigh.toFixed(3) + ']';
  const beside = matched && ['words', 'bystander', 'both'].filter((name) => matched[name] !== null)
    .map((name) => name + ' ' + matched[name].toFixed(3)).join(' · ');
  const lines = [
    influence && 'influence ' + influence.value.toFixed(3) + range(influence) + ': the choice of words acts on the target',
    matched && 'matched ' + matched.score.toFixed(3) + range(matched) + ', p ' + matched.pValue.toFixed(3) + ': the target moves in line with the source; beside it ' + beside,
    sequential && 'branches so far: p ' + sequential.pValue.toPrecision(2) + ' at any time, of ' + count(histories) + ' turns',
    reason,
  ];
  return lines.filter(Boolean).map((text) => make('p', { class: 'detail branches' }, text));
}

/** What the talk was like, and what the models have forgotten of it. */
function talkLines(group) {
  const { talk } = group;
  if (!talk) return [];
  const kinds = Object.entries(TALK).map(([kind, name]) => count(talk[kind]) + ' ' + name).join(' · ');
  const memory = 'memory shortened ' + count(talk.drops) + named(talk.drops, ' time') + ': ' + count(talk.shortened) + ' turn pairs without the oldest turns';
  const lines = [talkFault(group), 'of ' + count(talk.pairs) + ' utterances ' + kinds, talk.shortened ? memory : undefined];
  return lines.filter(Boolean).map((text) => make('p', { class: 'detail talk' }, text));
}

function paperMode(paper) {
  if (!paper) return [make('p', { class: 'reason' }, '–')];
  const nulls = ['shuffled null ' + clipped(paper.nullMean), 'pseudo null ' + number(paper.pseudoMean)];
  return [make('p', { class: 'big' }, clipped(paper.score)),
    ...[...unclipped(paper), ...nulls].map((text) => make('p', { class: 'detail' }, text))];
}

function besides(beside) {
  const named = beside ? [['beyond text, an estimate', beside.text], ['beyond words, an estimate', beside.words], ['three turns on', beside.lag3], ['five turns on', beside.lag5]] : [];
  return named.filter(([, one]) => one).map(([name, one]) => make('p', { class: 'detail' },
    name + ', excess ' + number(one.excess) + ' (' + number(one.ciLow) + ' … ' + number(one.ciHigh) + ')' + (one.pValue === undefined ? '' : ' · p = ' + one.pValue.toFixed(3))));
}

/** Coupling step by step: each measure over the windows of all dyads, beside what turned-round steps give. */
function stepwise(steps) {
  if (!steps) return null;
  const about = steps.dyads + named(steps.dyads, ' window') + ', ' + count(steps.steps) + named(steps.steps, ' step');
  const lines = steps.reason ? [make('p', { class: 'reason' }, steps.reason)] : steps.measures.map((one) => {
    const surrogates = one.pValue === null ? ' · surrogates to come'
      : ' · turned round ' + number(one.nullMean) + ', 95 % under ' + number(one.nullQ95) + ' · p = ' + one.pValue.toFixed(3);
    return make('p', { class: 'detail' }, make('b', {}, one.measure + ' ' + number(one.value)),
      surrogates + (one.bestLag === undefined ? '' : ' · lag ' + one.bestLag));
  });
  return make('div', { class: 'steps' }, make('p', { class: 'label' }, 'step by step · ' + about), ...lines);
}

/** The mean over both directions and speaking orders, or which direction has no figure yet. */
function bothWays(pair) {
  const { modelA, modelB, roleA, roleB, agents, strict, paper, reason } = pair;
  const places = [roleA, roleB].map((role) => roleName(role, agents)).join(' ↔ ');
  const models = modelA === modelB ? '' : ', ' + modelA + ' ↔ ' + modelB;
  const figures = [
    strict && ['excess', number(strict.excess), '95 %: ' + number(strict.ciLow) + ' … ' + number(strict.ciHigh) + ' · score ' + number(strict.score)],
    paper && ['paper mode, the figure of the paper', clipped(paper.score), [...unclipped(paper), 'shuffled null ' + clipped(paper.nullMean), 'pseudo null ' + number(paper.pseudoMean)].join(' · ')],
  ].filter(Boolean);
  return make('div', { class: 'both' }, make('p', { class: 'label' }, 'both directions: ' + places + models),
    ...figures.map(([name, value, detail]) => make('p', {}, make('span', { class: 'label' }, name + ' '), make('b', {}, value), make('span', { class: 'detail' }, ' ' + detail))),
    ...(strict && paper ? [] : [make('p', { class: 'reason' }, reason || 'No figure.')]));
}

/** Which look this is: the one to report, or one of many. */
function standing({ pending, provisional, groups }) {
  if (groups.length === 0) return ['waiting', 'fresh'];
  if (pending) return ['provisional · scoring as it comes', 'pending'];
  return provisional ? ['provisional · the run is open', 'open'] : ['final · the run has ended', 'fresh'];
}

function progress(group) {
  const bar = make('i', {});
  bar.style.width = Math.min(100, 100 * group.samples / MINIMUM_PAIRS) + '%';
  return make('div', { class: 'progress' }, bar);
}

function contrasts(group, differences) {
  const own = differences.filter((one) => one.agents === group.agents && one.sourceRole === group.sourceRole && one.targetRole === group.targetRole && one.condition === group.condition
    && one.sourceModel === group.sourceModel && one.targetModel === group.targetModel);
  return own.map((one) => make('p', { class: 'detail' },
    'minus ' + one.against + ': ' + number(one.difference) + ' (' + number(one.ciLow) + ' … ' + number(one.ciHigh) + ') · p = ' + (one.pValue < 0.001 ? '< 0.001' : one.pValue.toFixed(3))));
}

function card(group, range, differences) {
  const [from, to] = [group.sourceRole, group.targetRole].map((role) => roleName(role, group.agents));
  const models = group.sourceModel === group.targetModel ? group.sourceModel : group.sourceModel + ' → ' + group.targetModel;
  const counts = make('p', { class: 'counts' });
  for (const [value, name] of [[group.samples, 'turn pair'], [group.episodes, 'episode'], [group.scenarios, 'scenario']])
    counts.append(make('span', {}, make('b', {}, count(value)), ' ' + named(value, name)));
  if (group.exchangeableScenarios < group.scenarios)
    counts.append(make('span', {}, make('b', {}, count(group.exchangeableScenarios)), ' of ' + count(group.scenarios) + named(group.scenarios, ' scenario') + ' with at least three episodes'));
  return make('article', { class: 'card' },
    make('h3', {}, from + ' → ' + to, make('small', {}, models)), scores(group, range), ...contrasts(group, differences), ...branchLines(group), ...talkLines(group), sparkline(group.curve), stepwise(group.steps), counts);
}

/** Who is predicted by whom, where more than two talk: sources down, targets across, the colour is the excess. */
function matrix(groups, agents) {
  const roles = Array.from({ length: agents }, (_, place) => place + 1);
  const most = Math.max(0.05, ...groups.map(({ strict }) => (strict ? Math.abs(strict.excess) : 0)));
  const cell = (from, to) => {
    const own = groups.filter((group) => group.agents === agents && group.sourceRole === from && group.targetRole === to);
    const box = make('td', from === to ? { class: 'self' } : {}, ...own.flatMap(matrixFigures));
    const [excess] = own.flatMap(({ strict }) => (strict ? [strict.excess] : []));
    if (excess === undefined) return box;
    box.style.setProperty('--share', (100 * Math.min(1, Math.abs(excess) / most)).toFixed(0) + '%');
    box.classList.add(excess < 0 ? 'below' : 'above');
    return box;
  };
  const head = make('tr', {}, make('th', { scope: 'col' }, 'from ↓  to →'), ...roles.map((role) => make('th', { scope: 'col' }, ordinal(role))));
  const rows = roles.map((from) => make('tr', {}, make('th', { scope: 'row' }, ordinal(from)), ...roles.map((to) => cell(from, to))));
  return make('table', { class: 'matrix' }, make('caption', {}, agents + ' agents: excess, from the row’s speaker to the column’s, who follows by so many turns (+n)'), head, ...rows);
}

function matrixFigures({ strict, qValue, samples, reason, distance, verdict }) {
  const figures = strict
    ? [make('b', {}, number(strict.excess)), make('span', {}, 'p ' + strict.pValue.toFixed(3) + ' · q ' + number(qValue) + (verdict === 'flagged' ? ' · flagged' : ''))]
    : [make('span', { class: 'reason' }, reason || 'No score.')];
  return [...figures, make('span', {}, 'n ' + count(strict ? strict.samples : samples) + ' (+' + distance + ')')];
}

function matrices(groups) {
  const sizes = [...new Set(groups.map(({ agents }) => agents))].filter((agents) => agents > 2).sort();
  return sizes.map((agents) => matrix(groups, agents));
}

function drawGroups({ groups, differences, pairs }) {
  const range = rangeOf(groups);
  const conditions = [...new Set(groups.map((group) => group.condition))];
  const sections = conditions.map((condition) => {
    const own = groups.filter((group) => group.condition === condition);
    const title = make('h2', {}, condition, make('span', {}, MEANING[condition.split(':')[0]] || ''));
    return make('section', { class: 'condition' }, title, ...matrices(own),
      make('div', { class: 'cards' }, ...own.map((group) => card(group, range, differences))),
      ...pairs.filter((pair) => pair.condition === condition).map(bothWays));
  });
  byId('conditions').replaceChildren(...(sections.length ? sections : [make('p', { class: 'empty' }, 'Waiting for the first two turns of an episode.')]));
}

function drawState(state, report) {
  byId('run').textContent = state.run ? 'run ' + state.run : 'no run yet';
  const figures = [['episodes', state.episodes.running + state.episodes.finished], ['turns', state.turns], ['frames on disk', report.framesDurable]];
  byId('figures').replaceChildren(...figures.map(([name, value]) => make('div', {}, make('dt', {}, name), make('dd', {}, count(value)))));
  byId('streams').hidden = state.streams.length === 0;
  byId('streams').querySelector('ul').replaceChildren(...state.streams.map((stream) => make('li', {}, make('b', {}, stream.stream),
    make('span', { class: streamState(stream).kind }, streamState(stream).text), ' · ' + count(stream.framesDurable) + named(stream.framesDurable, ' frame'))));
}

function say(text, kind) {
  byId('status').textContent = text;
  byId('status').className = 'status ' + kind;
}

async function refresh() {
  try {
    const read = async (path) => (await fetch(path + location.search, { signal: AbortSignal.timeout(5000) })).json();
    const [report, state] = await Promise.all([read('/api/scores'), read('/api/state')]);
    drawState(state, report);
    drawGroups(report);
    say(...standing(report));
  } catch {
    say('analyzer away', 'lost');
  }
  setTimeout(refresh, POLL_MS);
}
refresh();
`;
