/** `--layer N`: restricts the data to one layer of each side. */
import { EntrainError } from '../protocol/errors.ts';
import type { Matrix } from '../numeric/linear-algebra.ts';
import type { TurnPairs } from '../synchrony/types.ts';
import type { LayerNames } from './answers.ts';
import { wholeNumber, type MeasureFlags } from './arguments.ts';

interface From {
  /** File that the error names. */
  path: string;
  flags: MeasureFlags;
  /** Layer numbers; by default the indices from 0. */
  numbers?: number[] | undefined;
}

export function chooseLayers(layers: Matrix[], { path, flags, numbers }: From): Matrix[] {
  if (flags.layer === undefined) return layers;
  const known = numbers ?? [...layers.keys()];
  const number = wholeNumber('layer', flags.layer, { least: 0, fallback: 0 });
  const layer = layers[known.indexOf(number)];
  if (layer !== undefined) return [layer];
  throw new EntrainError(
    'MEASURE_INPUT',
    `${path} has no layer ${number}; expected ${known[0]} to ${known.at(-1)}`,
  );
}

export interface Sides {
  source: string;
  target: string;
}

/** Both sides of turn pairs, and the numbers of their layers. */
export function chooseSides(
  pairs: TurnPairs,
  paths: Sides,
  { flags, names }: { flags: MeasureFlags; names?: LayerNames },
): { pairs: TurnPairs; layers?: LayerNames } {
  const side = (of: 'source' | 'target'): Matrix[] =>
    chooseLayers(pairs[of], { path: paths[of], flags, numbers: names?.[of] });
  const source = side('source');
  const target = side('target');
  if (flags.layer !== undefined) {
    const number = Number(flags.layer);
    return { pairs: { ...pairs, source, target }, layers: { source: [number], target: [number] } };
  }
  return names ? { pairs, layers: names } : { pairs };
}
