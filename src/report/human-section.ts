/**
 * Dyads of people (`entrain measure --dyads --json`) on one page with the models' figures: engagement, decay with the
 * lag, nulls and intervals. Units differ, so only signs, intervals and courses are held beside each other.
 */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { decodeText } from '../process/json-text.ts';
import { EntrainError } from '../protocol/errors.ts';
import { parseMessage } from '../protocol/nats-messages.ts';
import { dyadsAnswerSchema, type DyadsAnswer } from '../protocol/reports/dyads-answer.ts';
import { directionOf, probability } from '../viewer/page/format.ts';
import type { Markup } from './figures/svg.ts';
import { list, paragraph, section, table, withSign, two } from './parts.ts';
import type { RunReport } from './read-report.ts';

export interface HumanDyads extends DyadsAnswer {
  /** The file's name without its ending. */
  name: string;
}

/** @throws EntrainError `MEASURE_INPUT` naming the file */
export async function readHumanDyads(file: string): Promise<HumanDyads> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new EntrainError(
      'MEASURE_INPUT',
      `${file} cannot be read: expected what "entrain measure MEASURE --dyads DIR --json" printed.`,
      { cause },
    );
  });
  const decoded = decodeText(bytes);
  if ('fault' in decoded) throw new EntrainError('MEASURE_INPUT', `${file} ${decoded.fault}.`);
  const answer = parseMessage(dyadsAnswerSchema, decoded.text, { code: 'MEASURE_INPUT', what: file });
  return { ...answer, name: basename(file).replace(/\.[^.]*$/, '') };
}

const HEAD = ['who', 'figure', 'lag', 'together', 'apart', 'difference', '95 % interval', 'p'];

export function humanSection(people: readonly HumanDyads[], runs: readonly RunReport[]): Markup {
  const sorted = people.toSorted((a, b) => a.name.localeCompare(b.name) || a.lag - b.lag);
  return section(
    'Beside human data',
    paragraph(
      'People above, models below. Of people, real dyads are held beside pseudo-dyads, members of different dyads; of models, turn pairs beside those of other episodes of their scenario. Both differences are 0 where the two go together no more than any two in the same situation. Their units differ: signs, intervals and the course over the lag may be compared, sizes may not.',
    ),
    table(HEAD, [...sorted.map(rowOf), ...runs.flatMap((run) => modelRows(run))]),
    list(sentences(sorted, runs)),
  );
}

const range = (low: number, high: number): string => `[${withSign(low)}, ${withSign(high)}]`;

function rowOf(one: HumanDyads): string[] {
  const { name, measure, dyads, lag, value, pseudo_mean: pseudo, excess, ci, p_value: p } = one;
  const figure = `${measure}, ${dyads} dyads`;
  return [name, figure, String(lag), two(value), two(pseudo), withSign(excess), range(...ci), probability(p)];
}

/** Each group at its first lag, and those of `live` at later ones. */
function modelRows({ facts, view, lags }: RunReport): string[][] {
  const who = (of: Parameters<typeof directionOf>[0]): string =>
    `${facts.run}: ${of.condition}, ${directionOf(of, view)}`;
  const first = view.figures.groups.flatMap((group) => {
    const { adjustment } = group;
    if (!adjustment) return [];
    const { value, low, high, pValue } = adjustment;
    return [[who(group), 'excess', '1', '–', '–', withSign(value), range(low, high), probability(pValue)]];
  });
  const later = lags
    .filter(({ condition }) => condition === 'live')
    .flatMap((curve) =>
      curve.points
        .filter(({ lag }) => lag > 1)
        .map(({ lag, value, low, high, pValue }) => [
          who(curve),
          'excess',
          String(lag),
          '–',
          '–',
          withSign(value),
          range(low, high),
          probability(pValue),
        ]),
    );
  return [...first, ...later];
}

/** What can be said of both, by the intervals. */
function sentences(people: readonly HumanDyads[], runs: readonly RunReport[]): string[] {
  const nearest = people.filter(
    ({ name, measure, lag }) =>
      lag ===
      Math.min(...people.filter((one) => one.name === name && one.measure === measure).map((one) => one.lag)),
  );
  const above = nearest.filter(({ ci }) => ci[0] > 0);
  const live = runs.flatMap(({ view }) =>
    view.figures.groups.flatMap(({ condition, adjustment }) =>
      condition === 'live' && adjustment ? [adjustment] : [],
    ),
  );
  const said = (count: number, all: number): string =>
    `${count} of ${all} lie above 0 with their whole interval`;
  return [
    `People: ${said(above.length, nearest.length)}.`,
    live.length === 0
      ? 'Models: no group of live has a figure.'
      : `Models, live: ${said(live.filter(({ low }) => low > 0).length, live.length)}.`,
    'Both are associations: what only the two share, such as the moment or the room, shows as well.',
  ];
}
