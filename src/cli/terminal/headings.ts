/**
 * Puts the words of an episode under its heading. Words and the event that an episode has begun come by different ways,
 * so words may come
 * first: they wait for the heading. Where several episodes run at once, the heading is repeated whenever another one
 * goes on.
 */
import type { Terminal } from './terminal.ts';

export interface EpisodeHeading {
  episode: string;
  scenario: string;
  condition: string;
}

export interface Headings {
  /** Shows a heading, then what waited for it. */
  begin(heading: EpisodeHeading): void;
  /** An episode that began in an earlier life of the run: its heading comes with its next words. */
  goOn(heading: EpisodeHeading): void;
  /** Does something once the episode has begun. */
  behind(episode: string, act: () => void): void;
  /** The same under the heading of the episode. */
  under(episode: string, act: () => void): void;
}

/** What may wait: an event that is lost shall not hold the words of a run back for ever. */
const MOST_WAITING = 2000;

export function createHeadings(terminal: Pick<Terminal, 'heading'>): Headings {
  const known = new Map<string, string>();
  const waiting = new Map<string, (() => void)[]>();
  let shown = '';
  const show = (episode: string): void => {
    if (shown === episode) return;
    shown = episode;
    terminal.heading(episode, known.get(episode) ?? episode);
  };
  const release = (episode: string): void => {
    const acts = waiting.get(episode) ?? [];
    waiting.delete(episode);
    for (const act of acts) act();
  };
  const know = ({ episode, scenario, condition }: EpisodeHeading): void =>
    void known.set(episode, `${episode} · ${scenario} · ${condition}`);
  const behind = (episode: string, act: () => void): void => {
    if (known.has(episode)) return act();
    const acts = waiting.get(episode) ?? [];
    waiting.set(episode, [...acts, act]);
    if (acts.length < MOST_WAITING) return;
    known.set(episode, episode);
    release(episode);
  };
  return {
    begin: (heading) => {
      know(heading);
      show(heading.episode);
      release(heading.episode);
    },
    goOn: know,
    behind,
    under: (episode, act) =>
      behind(episode, () => {
        show(episode);
        act();
      }),
  };
}
