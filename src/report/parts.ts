/** Parts that all sections of a report use: tables, captions, numbers. */
import { el, type Child, type Markup } from './figures/svg.ts';

export const section = (title: string, ...children: Child[]): Markup =>
  el('section', {}, el('h2', {}, title), ...children);

export const paragraph = (...children: Child[]): Markup => el('p', {}, ...children);

/** A figure of the whole width; on a narrow screen it scrolls by itself, for its words could not be read smaller. */
export const figureOf = (caption: string, plot: Markup): Markup =>
  el('figure', {}, scrolling(caption, plot), el('figcaption', {}, caption));

/** A figure that does not need the whole width. */
export const smallFigure = (caption: string, plot: Markup, legend?: Child): Markup =>
  el('figure', { class: 'small' }, plot, el('figcaption', {}, caption, el('div', {}, legend)));

/** Numbers stand at the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): Markup {
  const isNumber = head.map((_, column) =>
    rows.every((row) => /^[-−+<]?\s?[\d.,]+(e[-−+]?\d+)?( %)?$|^\[[^\]]+\]$|^–$/.test(row[column] ?? '–')),
  );
  const cell = (name: 'th' | 'td') => (text: string, column: number) =>
    el(name, isNumber[column] === true ? { class: 'number' } : {}, text);
  const whole = el(
    'table',
    {},
    el('thead', {}, el('tr', {}, head.map(cell('th')))),
    el(
      'tbody',
      {},
      rows.map((row) => el('tr', {}, row.map(cell('td')))),
    ),
  );
  // On a narrow screen the table scrolls by itself.
  return scrolling(head.join(', '), whole);
}

const scrolling = (label: string, ...children: Child[]): Markup =>
  el('div', { class: 'wide', tabindex: 0, role: 'region', 'aria-label': label }, ...children);

export const list = (items: readonly string[]): Markup =>
  el(
    'ul',
    {},
    items.map((item) => el('li', {}, item)),
  );

/** A colored dot and a name for each curve. */
export const legend = (curves: readonly { name: string; color: string }[]): Markup[] =>
  curves.map(({ name, color }) =>
    el('span', { class: 'entry' }, el('span', { class: `key ${color}` }), name),
  );

export const two = (value: number): string => value.toFixed(2).replace('-', '−');

export const withSign = (value: number): string => (value > 0 ? '+' : '') + two(value);

export const count = (value: number, one: string, many = `${one}s`): string =>
  `${value.toLocaleString('en')} ${value === 1 ? one : many}`;
