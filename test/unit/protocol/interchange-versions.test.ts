/** Which versions a turn has where states are exchanged between episodes. */
import { describe, expect, it } from 'vitest';
import { branchesOfRound, countVersions, isBasis, versionsOf } from '../../../src/protocol/branches.ts';
import { deriveSeed } from '../../../src/protocol/seed.ts';

describe('the versions of a turn', () => {
  it('have, of an interchange, a version for each layer and each donor that has the turn, and donors are not patched', () => {
    const patch = { kind: 'interchange' as const, layers: [4, 6] };
    const study = { branches: { share: 1, alternatives: 2, patch }, episodes: 7 };
    expect([0, 2, 3, 6].map((round) => isBasis(study, round))).toEqual([true, true, false, false]);
    const donors = ['e1', 'e5', 'e9'];
    expect(countVersions(branchesOfRound(study, 2, donors))).toBe(2);
    const branches = branchesOfRound(study, 3, donors);
    expect(countVersions(branches)).toBe(8);
    const moved = (of?: string[]): string[] =>
      versionsOf({ seed: 7, branches }, 5, of).flatMap((version) =>
        version.kind === 'interchange'
          ? [`${version.k} ${version.layer} ${version.donor} ${version.seed}`]
          : [],
      );
    const said = deriveSeed(7, 5);
    expect(moved()).toEqual([
      `3 4 e1 ${said}`,
      `4 4 e5 ${said}`,
      `5 4 e9 ${said}`,
      `6 6 e1 ${said}`,
      `7 6 e5 ${said}`,
      `8 6 e9 ${said}`,
    ]);
    expect(moved(['e1', 'e9'])).toEqual([
      `3 4 e1 ${said}`,
      `4 4 e9 ${said}`,
      `5 6 e1 ${said}`,
      `6 6 e9 ${said}`,
    ]);
  });
});
