/** A report as one HTML file: it loads nothing and runs nothing. */
import { acrossModels, associationSection, type Association } from './association.ts';
import { el, raw, type Markup } from './figures/svg.ts';
import { geometrySection } from './geometry-section.ts';
import { humanSection, type HumanDyads } from './human-section.ts';
import { layersSection } from './layers-section.ts';
import type { RunReport } from './read-report.ts';
import {
  curvesSection,
  designSection,
  dialoguesSection,
  faultsSection,
  ladderSection,
  originSection,
  outcomesSection,
  preregisteredSection,
  verdictBox,
} from './sections.ts';
import { STYLE } from './style.ts';

export interface Report {
  runs: RunReport[];
  association: Association | undefined;
  /** Dyads of people, from files of the user's own. */
  people: HumanDyads[];
}

const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

export function reportPage({ runs, association, people }: Report): string {
  const title = runs.map(({ facts }) => facts.run).join(', ');
  const head = el(
    'head',
    {},
    el('meta', { charset: 'utf-8' }),
    el('meta', { 'http-equiv': 'Content-Security-Policy', content: POLICY }),
    el('meta', {
      name: 'viewport',
      content: 'width=device-width, initial-scale=1',
    }),
    el('title', {}, `${title} · entrain`),
    el('style', {}, raw(STYLE)),
  );
  const body = el(
    'main',
    {},
    association && runs.length > 1 ? associationSection(association) : undefined,
    runs.map((run) => runParts(run, runs.length === 1 ? association : undefined)),
    people.length > 0 ? humanSection(people, runs) : undefined,
  );
  return `<!doctype html>\n${el('html', { lang: 'en' }, head, el('body', {}, body)).markup}\n`;
}

const runParts = (run: RunReport, association: Association | undefined): Markup =>
  el(
    'article',
    {},
    el('h1', {}, run.facts.study.name),
    el(
      'p',
      { class: 'soft' },
      `Do two language models that talk fall into step? Run ${run.facts.run}, ${new Date(run.facts.startedAtMs).toISOString().slice(0, 10)}.`,
    ),
    verdictBox(run, association && acrossModels(association)),
    preregisteredSection(run),
    designSection(run),
    association && associationSection(association),
    ladderSection(run),
    curvesSection(run),
    layersSection(run),
    geometrySection(run.geometry),
    outcomesSection(run),
    dialoguesSection(run),
    faultsSection(run),
    originSection(run),
  );
