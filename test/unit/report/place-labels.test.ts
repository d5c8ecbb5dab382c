/** Names beside points. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { boxOf, placeLabels } from '../../../src/report/figures/place-labels.ts';

const WIDTH = 460;
const point = fc.record({
  x: fc.integer({ min: 52, max: 446 }),
  y: fc.integer({ min: 12, max: 206 }),
  name: fc.constantFrom('AB', 'CD', 'a long name', ''),
});

it('never cover one another or a point, and stay within the figure', () => {
  fc.assert(
    fc.property(fc.array(point, { maxLength: 40 }), (points) => {
      const boxes = placeLabels(points, WIDTH).flatMap((label) => (label ? [boxOf(label)] : []));
      for (const [at, box] of boxes.entries()) {
        expect(box.left).toBeGreaterThanOrEqual(0);
        expect(box.right).toBeLessThanOrEqual(WIDTH);
        for (const { x, y } of points)
          expect(x > box.left && x < box.right && y > box.top && y < box.bottom).toBe(false);
        for (const other of boxes.slice(at + 1))
          expect(
            box.left < other.right &&
              other.left < box.right &&
              box.top < other.bottom &&
              other.top < box.bottom,
          ).toBe(false);
      }
    }),
  );
});

it('are written for every point that has room, beside it', () => {
  const points = [
    { x: 100, y: 100, name: 'A' },
    { x: 300, y: 100, name: 'B' },
    { x: 458, y: 50, name: 'long' },
    { x: 200, y: 50, name: '' },
  ];
  expect(placeLabels(points, WIDTH).map((label) => label && [label.text, label.anchor])).toEqual([
    ['A', 'start'],
    ['B', 'start'],
    ['long', 'end'],
    undefined,
  ]);
});
