/** What a live report says, held against `entrain measure sync-r2 --run` of the same recording. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { GroupReport, PairReport, ScoreReport } from '../src/protocol/report.ts';

type Figures = Record<string, unknown>;
type Mode = 'paper' | 'strict';

/** Between two machines or two numbers of threads additions come in another order. */
const TOLERANCE = 1e-9;
const runProgram = promisify(execFile);

/** @returns how many figures were compared, and a sentence for each that is another one offline */
export async function heldAgainstOffline(
  live: ScoreReport,
  of: { program: string; folder: string; mode: Mode },
): Promise<{ compared: number; unlike: string[] }> {
  const flags = ['measure', 'sync-r2', '--run', of.folder, '--mode', of.mode, '--json'];
  const { stdout } = await runProgram(process.execPath, [of.program, ...flags], { maxBuffer: 2 ** 26 });
  const offline = JSON.parse(stdout) as Record<'groups' | 'pairs', Figures[]>;
  const all = [
    ...live.groups.flatMap((group) => compared(offline.groups, group, of.mode)),
    ...live.pairs.flatMap((pair) => compared(offline.pairs, pair, of.mode)),
  ];
  return {
    compared: all.length,
    unlike: all.flatMap(({ name, one, other }) =>
      Math.abs(one - other) <= TOLERANCE ? [] : [`${name}: ${one} live, ${other} offline`],
    ),
  };
}

const keyOf = (of: object): string =>
  JSON.stringify([(of as Figures)['condition'], (of as Figures)['direction']]);

function compared(offline: Figures[], live: GroupReport | PairReport, mode: Mode) {
  const found = offline.find((one) => keyOf(one) === keyOf(live)) ?? {};
  const numbers = (value: unknown): number[] => [value].flat().map(Number);
  return Object.entries(expected(live, mode)).flatMap(([name, ones]) =>
    ones.map((one, at) => ({
      name: `${keyOf(live)} ${name}`,
      one,
      other: numbers(found[name])[at] ?? NaN,
    })),
  );
}

/** By the names that `entrain measure` gives them. */
function expected({ strict, paper }: GroupReport | PairReport, mode: Mode): Record<string, number[]> {
  const shuffled = typeof paper?.nullMean === 'number' ? { shuffled_sync_r2: [paper.nullMean] } : {};
  if (mode === 'paper')
    return {
      sync_r2: [paper?.score ?? NaN],
      sync_r2_unclipped: [paper?.unclipped ?? NaN],
      ...shuffled,
    };
  const { score = NaN, excess = NaN, nullMean = NaN, ciLow = NaN, ciHigh = NaN } = strict ?? {};
  const p = strict && 'pValue' in strict ? { p_value: [strict.pValue] } : {};
  return { score: [score], excess: [excess], null_mean: [nullMean], ci: [ciLow, ciHigh], ...p };
}
