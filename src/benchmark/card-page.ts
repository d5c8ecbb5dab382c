/** A card as one HTML file that loads nothing and runs nothing. */
import { el, raw, type Markup } from '../report/figures/svg.ts';
import { paragraph, section, table, two, withSign } from '../report/parts.ts';
import { STYLE } from '../report/style.ts';
import { probability } from '../viewer/page/format.ts';
import type { Card } from './card.ts';
import type { DirectionFigures, Figure } from './direction-figures.ts';

const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

export function cardPage(card: Card): string {
  const { model, partner, protocol, speaker, listener } = card;
  const head = el(
    'head',
    {},
    el('meta', { charset: 'utf-8' }),
    el('meta', { 'http-equiv': 'Content-Security-Policy', content: POLICY }),
    el('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
    el('title', {}, `${model.name} · ${protocol.name}`),
    el('style', {}, raw(STYLE)),
  );
  const body = el(
    'main',
    {},
    el('h1', {}, model.name),
    paragraph(
      `${protocol.name}, seed ${protocol.seed}: ${model.layers} layers × ${model.dims} dims, with ${partner.name} as partner in both speaking orders.`,
    ),
    el(
      'p',
      { class: 'soft' },
      'Figures compare cards of the same protocol; in live talk each hears the other, in monologue neither.',
    ),
    directionSection(`${model.name} as speaker: its states predict its partner’s`, speaker),
    directionSection(`${model.name} as listener: its partner’s states predict its own`, listener),
    outcomesSection(card),
    talkSection(card),
    originSection(card),
  );
  return `<!doctype html>\n${el('html', { lang: 'en' }, head, el('body', {}, body)).markup}\n`;
}

function directionSection(title: string, figures: readonly DirectionFigures[]): Markup {
  return section(
    title,
    table(
      [
        'condition',
        'speaks',
        'pairs',
        'SyncR² as published',
        'excess',
        'p',
        'beyond text',
        'influence',
        'matched SyncR²',
        'its p',
      ],
      figures.map((one) => [
        one.condition,
        one.sourceRole === 1 ? 'first' : 'second',
        String(one.samples),
        one.paper === undefined ? '–' : withSign(one.paper),
        figureText(one.excess),
        one.excess?.pValue === undefined ? '–' : probability(one.excess.pValue),
        figureText(one.beyondText),
        figureText(one.influence),
        figureText(one.matched),
        one.matched?.pValue === undefined ? '–' : probability(one.matched.pValue),
      ]),
    ),
    figures.flatMap(({ condition, reason }) =>
      reason === undefined ? [] : [paragraph(`${condition}: ${reason}`)],
    ),
  );
}

const figureText = (figure: Figure | undefined): string =>
  figure ? `${withSign(figure.value)} [${withSign(figure.low)}, ${withSign(figure.high)}]` : '–';

const outcomesSection = ({ outcomes }: Card): Markup =>
  section(
    'Outcomes of its dialogues',
    table(
      ['outcome', 'condition', 'episodes', 'mean', '95 % interval'],
      outcomes.map(({ outcome, of, episodes, mean, low, high }) => [
        outcome,
        of,
        String(episodes),
        two(mean),
        low === undefined || high === undefined ? '–' : `[${two(low)}, ${two(high)}]`,
      ]),
    ),
  );

const talkSection = ({ talk }: Card): Markup =>
  section(
    'How it talks',
    table(
      ['condition', 'turns', 'tokens a turn', 'empty', 'cut', 'repeated', 'distinct words'],
      talk.map((one) => [
        one.condition,
        String(one.turns),
        one.tokensPerTurn.toFixed(1),
        ...[one.empty, one.cut, one.repeated, one.distinctWords].map(
          (share) => `${(100 * share).toFixed(0)} %`,
        ),
      ]),
    ),
  );

const originSection = ({ model, partner, protocol, cost, made }: Card): Markup =>
  section(
    'To repeat it',
    paragraph(
      `The same machine, versions and thread count give the same figures. This run took ${cost.seconds} s for ${cost.tokens} tokens. entrain ${made.version}, Node ${made.node}, ${made.platform}.`,
    ),
    table(
      ['what', 'SHA-256'],
      [
        [model.name, model.sha256],
        [partner.name, partner.sha256],
        [protocol.name, protocol.sha256],
      ],
    ),
  );
