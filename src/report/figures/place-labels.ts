/** Where names of points stand, so that none covers another name or a point. A name without room is left out. */

/** In units of the figure. */
export interface Named {
  x: number;
  y: number;
  name: string;
}

export interface Label {
  text: string;
  x: number;
  /** Of the base line. */
  y: number;
  anchor: 'start' | 'middle' | 'end';
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Of a letter, for text of 12 px; a capital one is no wider. */
const LETTER_PX = 8.5;
const ASCENT_PX = 10;
const DESCENT_PX = 2;
/** Of a point with its edge. */
const RADIUS_PX = 5;

const PLACES: readonly { dx: number; dy: number; anchor: Label['anchor'] }[] = [
  { dx: 7, dy: -5, anchor: 'start' },
  { dx: -7, dy: -5, anchor: 'end' },
  { dx: 7, dy: 13, anchor: 'start' },
  { dx: -7, dy: 13, anchor: 'end' },
  { dx: 0, dy: -8, anchor: 'middle' },
  { dx: 0, dy: 17, anchor: 'middle' },
  { dx: 8, dy: 4, anchor: 'start' },
  { dx: -8, dy: 4, anchor: 'end' },
];

/**
 * @param points with an empty name where none is written
 * @param width of the figure
 * @returns in order of `points`
 */
export function placeLabels(points: readonly Named[], width: number): (Label | undefined)[] {
  const taken = points.map(({ x, y }): Box => ({
    left: x - RADIUS_PX,
    right: x + RADIUS_PX,
    top: y - RADIUS_PX,
    bottom: y + RADIUS_PX,
  }));
  return points.map(({ x, y, name }) => {
    if (name === '') return undefined;
    for (const { dx, dy, anchor } of PLACES) {
      const label = { text: name, x: x + dx, y: y + dy, anchor };
      const box = boxOf(label);
      if (box.left < 0 || box.right > width || taken.some((other) => overlap(box, other))) continue;
      taken.push(box);
      return label;
    }
    return undefined;
  });
}

export function boxOf({ text, x, y, anchor }: Label): Box {
  const width = LETTER_PX * text.length;
  const left = x - { start: 0, middle: width / 2, end: width }[anchor];
  return { left, right: left + width, top: y - ASCENT_PX, bottom: y + DESCENT_PX };
}

const overlap = (a: Box, b: Box): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
