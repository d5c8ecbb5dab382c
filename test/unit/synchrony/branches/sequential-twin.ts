/** A slow second implementation of the sequential test: primal ridge fits, every pairing summed by itself. */
import { solve, type Rows } from '../strict/slow-twin.ts';
import type { TwinBranch } from './slow-twin.ts';

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

export function sequentialTwin(rows: TwinBranch[]): { histories: number; logE: number; pValue: number } {
  const names = [...new Set(rows.map(nameOf))];
  const histories = names
    .map((name) => rows.filter((row) => nameOf(row) === name))
    .filter((own) => own.length > 1 && new Set(own.map(({ a }) => JSON.stringify(a))).size > 1);
  const bets = [1, 2, 4, 8, 16];
  const wealth = bets.map(() => 1);
  let [most, fitted, tested] = [1, 0, 0];
  let map: ((own: TwinBranch[]) => { x: Rows; y: Rows; beta: Rows }) | undefined;
  for (const [at, own] of histories.entries()) {
    if (at < 4) continue;
    if (!map || at >= 1.3 * fitted) [map, fitted] = [fit(histories.slice(Math.max(0, at - 96), at)), at];
    const { x, y, beta } = map(own);
    const predicted = x.map((row) =>
      (beta[0] as number[]).map((_, c) =>
        row.reduce((sum, value, k) => sum + value * (beta[k]?.[c] as number), 0),
      ),
    );
    const sums = orders(own.length).map((order) =>
      order.reduce(
        (sum, j, k) =>
          sum + (predicted[k] as number[]).reduce((s, value, c) => s + value * (y[j]?.[c] as number), 0),
        0,
      ),
    );
    const ranks = sums.map((value) => {
      const ties = sums.filter((other) => Math.abs(other - value) < 1e-10).length;
      return (sums.filter((other) => other < value - 1e-10).length + ties / 2) / sums.length;
    });
    for (const [bet, by] of bets.entries())
      wealth[bet] =
        ((wealth[bet] as number) * Math.exp(by * (ranks[0] as number))) /
        mean(ranks.map((rank) => Math.exp(by * rank)));
    tested += 1;
    most = Math.max(most, mean(wealth));
  }
  return { histories: tested, logE: Math.log(mean(wealth)), pValue: 1 / most };
}

const nameOf = ({ episode, turn }: TwinBranch): string => `${episode} ${turn}`;

function fit(past: TwinBranch[][]): (own: TwinBranch[]) => { x: Rows; y: Rows; beta: Rows } {
  const scaled = (side: 'a' | 'b'): ((own: TwinBranch[]) => Rows) => {
    const all = past.flatMap((own) => moved(own, side));
    const layers = past[0]?.[0]?.[side] ?? [];
    const widths = layers.flatMap((layer) => layer.map(() => layer.length * layers.length));
    const sizes = widths.map((width, c) =>
      Math.sqrt(mean(all.map((row) => (row[c] as number) ** 2)) * width),
    );
    return (own) => moved(own, side).map((row) => row.map((value, c) => value / (sizes[c] as number)));
  };
  const [ofA, ofB] = [scaled('a'), scaled('b')];
  const x = past.flatMap((own) => ofA(own));
  const y = past.flatMap((own) => ofB(own));
  const penalty = mean(x.map((row) => row.reduce((sum, value) => sum + value * value, 0)));
  const gram = (x[0] as number[]).map((_, r) =>
    (x[0] as number[]).map((__, c) =>
      x.reduce((sum, row) => sum + (row[r] as number) * (row[c] as number), r === c ? penalty : 0),
    ),
  );
  const cross = (x[0] as number[]).map((_, r) =>
    (y[0] as number[]).map((__, c) =>
      x.reduce((sum, row, at) => sum + (row[r] as number) * (y[at]?.[c] as number), 0),
    ),
  );
  const beta = solve(gram, cross);
  return (own) => ({ x: ofA(own), y: ofB(own), beta });
}

const moved = (own: TwinBranch[], side: 'a' | 'b'): Rows => {
  const flat = own.map((row) => row[side].flat());
  return flat.map((row) => row.map((value, c) => value - mean(flat.map((other) => other[c] as number))));
};

function orders(count: number): number[][] {
  let out: number[][] = [[]];
  for (let k = 0; k < count; k++)
    out = out.flatMap((order) =>
      Array.from({ length: count }, (_, j) => j)
        .filter((j) => !order.includes(j))
        .map((j) => [...order, j]),
    );
  return out;
}
