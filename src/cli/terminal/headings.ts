/**
 * Prints utterances under the heading of their episode. Utterances and the event that an episode has begun
 * arrive on different subjects, so an utterance may come first; it then waits for the heading. With several
 * episodes at once, the heading is repeated whenever the episode changes.
 */
import type { Terminal } from './terminal.ts';

export interface EpisodeHeading {
  episode: string;
  scenario: string;
  condition: string;
}

export interface Headings {
  /** Prints the heading of an episode, then the output that waited for it. */
  begin(heading: EpisodeHeading): void;
  /**
   * Makes the heading of an episode known that began before this program; it is printed with the next output.
   */
  resume(heading: EpisodeHeading): void;
  /** Runs `act` once the episode has begun. */
  afterBegin(episode: string, act: () => void): void;
  /** Runs `act` under the heading of the episode, once it has begun. */
  under(episode: string, act: () => void): void;
}

/** Most actions that may wait for one episode, so that a lost event does not hold its output back for ever. */
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
  const afterBegin = (episode: string, act: () => void): void => {
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
    resume: know,
    afterBegin,
    under: (episode, act) =>
      afterBegin(episode, () => {
        show(episode);
        act();
      }),
  };
}
