/**
 * Perturbations of an agent's states: of which components they are made, how large they are, and that they come again.
 */
import { appendFile, mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createKeptStates, type KeptStates } from '../../../src/agent-node/kept-states.ts';
import { basisOf, createPerturb, type Perturbation } from '../../../src/agent-node/patches.ts';
import { seededRandom } from '../../../src/numeric/random.ts';

const DIMS = 12;
const branches = {
  share: 1,
  alternatives: 2,
  patch: { kind: 'perturbation' as const, layers: [2, 3], sizes: [0.5, 2] },
};
const plan = { seed: 9, condition: 'live', branches };

/** Independent columns whose standard deviations fall by a third each, around a mean that is no component. */
function states(count: number, seed = 1): Float32Array[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () =>
    Float32Array.from({ length: DIMS }, (_, d) => 50 + 10 * (2 / 3) ** d * random.normal()),
  );
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, value, i) => sum + value * (b[i] as number), 0);

async function keeper(count: number): Promise<{ file: string; kept: KeptStates }> {
  const file = join(await mkdtemp(join(tmpdir(), 'entrain-kept-')), 'run-1', 'ada.states.jsonl');
  const kept = createKeptStates(file);
  for (const layer of [2, 3])
    for (const [i, state] of states(count, layer).entries())
      await kept.keep({ condition: 'live', episode: `e${i}`, turn: 0, layer }, state);
  return { file, kept };
}

const deltasOf = (perturbations: readonly Perturbation[] | undefined): Float32Array[] =>
  (perturbations ?? []).map(({ delta }) => delta);

describe('the components of states', () => {
  it('are the eigenvectors of their covariance, each as long as its standard deviation', async () => {
    const rows = states(200);
    const basis = (await basisOf(rows)) ?? [];
    expect(basis).toHaveLength(8);
    const mean = Array.from(
      { length: DIMS },
      (_, d) => rows.reduce((sum, row) => sum + (row[d] as number), 0) / 200,
    );
    const covariance = Array.from({ length: DIMS }, (_, i) =>
      Array.from(
        { length: DIMS },
        (__, j) =>
          rows.reduce(
            (sum, row) =>
              sum + ((row[i] as number) - (mean[i] as number)) * ((row[j] as number) - (mean[j] as number)),
            0,
          ) / 199,
      ),
    );
    for (const [p, component] of basis.entries()) {
      const variance = dot(component, component);
      // C v = σ² v
      for (const [i, row] of covariance.entries())
        expect(dot(row, component)).toBeCloseTo(variance * (component[i] as number), 2);
      for (const other of basis.slice(0, p))
        expect(Math.abs(dot(component, other))).toBeLessThan(1e-3 * variance);
      if (p > 0) expect(variance).toBeLessThan(dot(basis[p - 1] ?? [], basis[p - 1] ?? []));
    }
  });

  it('are not taken of fewer states than there are components', async () => {
    expect(await basisOf(states(8))).toBeUndefined();
    expect(await basisOf(states(9))).toHaveLength(8);
  });
});

describe('perturbations of a turn', () => {
  it('are of every layer and size, the coefficients drawn anew for each', async () => {
    const { kept } = await keeper(40);
    const found = (await createPerturb(kept)(plan, 3)) ?? [];
    expect(found.map(({ k, layer, size }) => `${k} ${layer} ${size}`)).toEqual([
      '3 2 0.5',
      '4 2 0.5',
      '5 2 2',
      '6 2 2',
      '7 3 0.5',
      '8 3 0.5',
      '9 3 2',
      '10 3 2',
    ]);
    expect(new Set(found.map(({ coefficients }) => String(coefficients))).size).toBe(8);
    expect(new Set(found.map(({ seed }) => seed)).size).toBe(1);
    for (const { layer, size, coefficients, delta } of found) {
      const basis = (await basisOf(await kept.of({ condition: 'live', layer }))) ?? [];
      for (let d = 0; d < DIMS; d++)
        expect(delta[d]).toBeCloseTo(
          size *
            basis.reduce(
              (sum, component, p) => sum + (coefficients[p] as number) * (component[d] as number),
              0,
            ),
          4,
        );
    }
  });

  it('have coefficients that are standard normal and independent of each other', async () => {
    const { kept } = await keeper(40);
    const perturb = createPerturb(kept);
    const drawn: number[][] = [];
    for (let turn = 0; turn < 300; turn++)
      for (const { coefficients } of (await perturb(plan, turn)) ?? []) drawn.push([...coefficients]);
    const mean = (of: (z: number[]) => number): number =>
      drawn.reduce((sum, z) => sum + of(z), 0) / drawn.length;
    for (let p = 0; p < 8; p++) {
      expect(Math.abs(mean((z) => z[p] as number))).toBeLessThan(0.08);
      expect(Math.abs(mean((z) => (z[p] as number) ** 2) - 1)).toBeLessThan(0.12);
      if (p > 0) expect(Math.abs(mean((z) => (z[p] as number) * (z[p - 1] as number)))).toBeLessThan(0.08);
    }
  });

  it('are the same in a later life of the agent, also if its file was cut in the middle of a line', async () => {
    const { file, kept } = await keeper(20);
    const before = deltasOf(await createPerturb(kept)(plan, 5));
    await appendFile(file, '{"condition":"live","episode":"e7","turn":');
    expect(deltasOf(await createPerturb(createKeptStates(file))(plan, 5))).toEqual(before);
    expect(before).toHaveLength(8);
  });

  it('do not depend on the order in which the states came, and not on those of other conditions', async () => {
    const { kept } = await keeper(20);
    const expected = deltasOf(await createPerturb(kept)(plan, 5));
    const other = createKeptStates(join(await mkdtemp(join(tmpdir(), 'entrain-kept-')), 'states.jsonl'));
    for (const layer of [3, 2])
      for (const [i, state] of [...states(20, layer).entries()].toReversed()) {
        await other.keep({ condition: 'live', episode: `e${i}`, turn: 0, layer }, state);
        await other.keep({ condition: 'monologue', episode: `f${i}`, turn: 0, layer }, state.toReversed());
      }
    expect(deltasOf(await createPerturb(other)(plan, 5))).toEqual(expected);
  });

  it('are none where too few states were kept, of one of the layers', async () => {
    const { kept } = await keeper(8);
    expect(await createPerturb(kept)(plan, 5)).toEqual([]);
  });
});

describe('states that are kept', () => {
  it('are written once each, and gone when the run is over', async () => {
    const { file, kept } = await keeper(3);
    await kept.keep({ condition: 'live', episode: 'e0', turn: 0, layer: 2 }, new Float32Array(DIMS));
    expect((await readFile(file, 'utf8')).trimEnd().split('\n')).toHaveLength(6);
    expect((await kept.of({ condition: 'live', layer: 2 }))[0]).toEqual(states(3, 2)[0]);
    await kept.remove();
    await expect(readFile(file)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
