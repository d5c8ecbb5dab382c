/** Several cards in one table, a line each: live figures, means over both places in the speaking order. */
import type { Card } from './card.ts';
import type { DirectionFigures, Figure } from './direction-figures.ts';

const HEAD = [
  'model',
  'speaker: excess',
  'influence',
  'matched',
  'listener: excess',
  'influence',
  'matched',
  'rule success',
  'monologue',
  'cut turns',
  'seconds',
];

/** @returns lines of text */
export function cardTable(cards: readonly Card[]): string[] {
  const rows = [HEAD, ...cards.map((card) => rowOf(card))];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

function rowOf({ model, speaker, listener, outcomes, talk, cost }: Card): string[] {
  const success = (condition: string): string => {
    const found = outcomes.find(({ outcome, of }) => outcome === 'rule success' && of === condition);
    return found ? found.mean.toFixed(2) : '–';
  };
  const cut = talk.find(({ condition }) => condition === 'live')?.cut;
  return [
    model.name,
    ...directionCells(speaker),
    ...directionCells(listener),
    success('live'),
    success('monologue'),
    cut === undefined ? '–' : `${(100 * cut).toFixed(0)} %`,
    String(cost.seconds),
  ];
}

function directionCells(figures: readonly DirectionFigures[]): string[] {
  const live = figures.filter(({ condition }) => condition === 'live');
  return (['excess', 'influence', 'matched'] as const).map((name) => meanText(live.map((one) => one[name])));
}

function meanText(figures: readonly (Figure | undefined)[]): string {
  const values = figures.flatMap((figure) => (figure ? [figure.value] : []));
  if (values.length === 0) return '–';
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return `${mean < 0 ? '−' : '+'}${Math.abs(mean).toFixed(3)}`;
}
