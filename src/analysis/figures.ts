/** Figures of a group in `scores.jsonl` that may go with outcomes across models. */
import type { AgentModel } from '../protocol/agent-model.ts';

/** A line of `scores.jsonl`, with the fields that are used here. */
export interface FigureLine {
  type: string;
  group?: string;
  condition?: string;
  provisional?: boolean;
  source?: AgentModel;
  target?: AgentModel;
  strict?: { excess?: number } | null;
  paper?: { unclipped?: number; textOnly?: number | null } | null;
  beside?: { text?: { excess?: number } | null };
  influence?: { value?: number | null } | null;
  matched?: { score?: number | null } | null;
  /** Of lines of secondary analyses: episode → source turn → its part of the mean R². */
  layerMap?: { turns?: Record<string, Record<string, number>> } | null;
}

export interface Figure {
  name: string;
  /** Type of the lines that hold it. */
  type: string;
  isRival: boolean;
  of(line: FigureLine): number | null | undefined;
}

/** By rung: what the states have beyond scenario, turn and episode; the experiment; what words alone give. */
export const FIGURES = [
  { name: 'excess', type: 'score', isRival: false, of: ({ strict }) => strict?.excess },
  { name: 'excess beyond text', type: 'beside', isRival: false, of: ({ beside }) => beside?.text?.excess },
  { name: 'influence', type: 'influence', isRival: false, of: ({ influence }) => influence?.value },
  { name: 'matched SyncR²', type: 'influence', isRival: false, of: ({ matched }) => matched?.score },
  { name: 'SyncR² as published', type: 'score', isRival: false, of: ({ paper }) => paper?.unclipped },
  { name: 'text-only SyncR²', type: 'score', isRival: true, of: ({ paper }) => paper?.textOnly },
] as const satisfies readonly Figure[];

export function valueOf(figure: Figure, line: FigureLine): number | undefined {
  const value = line.type === figure.type ? figure.of(line) : undefined;
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** The last line of each type and group; lines of secondary analyses get the models of their group. */
export function lastLines(lines: readonly FigureLine[]): FigureLine[] {
  const known = lines.filter(({ type }) => type === 'score' || type === 'beside' || type === 'influence');
  const last = [...new Map(known.map((line) => [`${line.type}\n${line.group}`, line])).values()];
  const groups = new Map(last.flatMap((line) => (line.type === 'score' ? [[line.group, line]] : [])));
  return last.map((line) => {
    const { condition, source, target } = groups.get(line.group) ?? {};
    return {
      ...line,
      ...(condition === undefined ? {} : { condition }),
      ...(source ? { source } : {}),
      ...(target ? { target } : {}),
    };
  });
}
