/**
 * Social relations model of a round-robin table: how much of a figure lies with the first of a pair (actor), with the
 * second (partner), and with the two together (relationship).
 * Formula: x[i, j] = m + a(i) + b(j) + g(i, j) for i ≠ j, each with mean 0; with row means R, column means C, M over
 * all:
 *   a(i) = (n−1)² / (n(n−2)) R(i) + (n−1) / (n(n−2)) C(i) − (n−1) / (n−2) M, b(i) the same with R and C exchanged.
 * Variances are the unbiased ones of the method of moments; one may come out negative, and is then given as it is.
 * Range: variances in squared units of the figure; the relationship's holds its error as well, for a pair is seen once.
 * Reference: Warner, Kenny, Stoto, 1979; Bond, Lashley, 1996; Lüdtke et al., 2018.
 * No number: fewer than four members, a table that is not square, or a cell beside the diagonal without a finite value.
 */
import type { NoScore } from '../types.ts';

export interface SocialRelations {
  mean: number;
  /** Per member, around the mean. */
  actors: number[];
  partners: number[];
  /** [n, n]; 0 on the diagonal. */
  relationships: number[][];
  variance: { actor: number; partner: number; relationship: number };
  /** Of a member's actor with its own partner effect, and of the two directions of a pair. */
  covariance: { actorPartner: number; reciprocity: number };
}

/** @param table [n, n], row the actor, column the partner; the diagonal is not looked at */
export function socialRelations(
  table: readonly (readonly (number | undefined)[])[],
): SocialRelations | NoScore {
  const n = table.length;
  if (table.some((row) => row.length !== n)) return { reason: 'the table is not square' };
  if (n < 4) return { reason: `actor and partner are told apart from four members on, there are ${n}` };
  const whole = table.every((row, i) => row.every((value, j) => i === j || Number.isFinite(value)));
  if (!whole) return { reason: 'a pair has no figure' };
  const { mean, actors, partners } = effectsOf(table as readonly (readonly number[])[]);
  const relationships = table.map((row, i) =>
    row.map((value, j) =>
      i === j ? 0 : (value as number) - mean - (actors[i] as number) - (partners[j] as number),
    ),
  );
  return { mean, actors, partners, relationships, ...momentsOf(actors, partners, relationships) };
}

function effectsOf(
  table: readonly (readonly number[])[],
): Pick<SocialRelations, 'mean' | 'actors' | 'partners'> {
  const n = table.length;
  const besides = table.map((row, i) => row.filter((_, j) => j !== i));
  const rows = besides.map((row) => sum(row) / (n - 1));
  const columns = rows.map(
    (_, j) => sum(table.flatMap((row, i) => (i === j ? [] : [row[j] as number]))) / (n - 1),
  );
  const mean = sum(rows) / n;
  const effect = (own: number, other: number): number =>
    ((n - 1) ** 2 / (n * (n - 2))) * own + ((n - 1) / (n * (n - 2))) * other - ((n - 1) / (n - 2)) * mean;
  return {
    mean,
    actors: rows.map((row, i) => effect(row, columns[i] as number)),
    partners: columns.map((column, i) => effect(column, rows[i] as number)),
  };
}

function momentsOf(
  actors: readonly number[],
  partners: readonly number[],
  relationships: readonly (readonly number[])[],
): Pick<SocialRelations, 'variance' | 'covariance'> {
  const n = actors.length;
  const both = relationships.flatMap((row, i) =>
    row.slice(i + 1).map((value, at) => [value, relationships[i + 1 + at]?.[i] as number] as const),
  );
  const free = ((n - 1) * (n - 2)) / 2;
  const between = sum(both.map(([one, other]) => (one + other) ** 2 / 2)) / (free - 1);
  const within = sum(both.map(([one, other]) => (one - other) ** 2 / 2)) / free;
  const relationship = (between + within) / 2;
  const reciprocity = (between - within) / 2;
  const share = n * (n - 2);
  const own = ((n - 1) * relationship + reciprocity) / share;
  const crossed = ((n - 1) * reciprocity + relationship) / share;
  return {
    variance: {
      actor: sum(actors.map((value) => value ** 2)) / (n - 1) - own,
      partner: sum(partners.map((value) => value ** 2)) / (n - 1) - own,
      relationship,
    },
    covariance: {
      actorPartner: sum(actors.map((value, i) => value * (partners[i] as number))) / (n - 1) - crossed,
      reciprocity,
    },
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
