/**
 * Prints whole episodes, one after another, each under one heading. Of episodes that run at once the earliest is in
 * focus and is printed as it goes on; the utterances of the others wait until it ends. Utterances and the event that an
 * episode has begun arrive on different subjects, so an utterance may come first; it then waits for the event.
 */
import type { Terminal } from './terminal.ts';

export interface EpisodeHeading {
  episode: string;
  scenario: string;
  condition: string;
}

export interface Headings {
  /** Makes the heading of an episode known; it is printed when the episode comes into focus. */
  begin(heading: EpisodeHeading): void;
  /** The same for an episode that began before this program; it is printed with its next output. */
  resume(heading: EpisodeHeading): void;
  /** The episode goes out of focus, and the next one into it. */
  end(episode: string): void;
  /** Runs `act` once the episode has begun. */
  afterBegin(episode: string, act: () => void): void;
  /** Runs `act` under the heading of the episode, once it is in focus. */
  under(episode: string, act: () => void): void;
  /** Prints what still waits. */
  flush(): void;
}

/** Most actions that may wait for one episode, so that a lost event does not hold its output back for ever. */
const MOST_WAITING = 2000;

export function createHeadings(terminal: Pick<Terminal, 'heading'>): Headings {
  const known = new Map<string, string>();
  const early = createWaiting();
  let shown: string | undefined;
  const focus = createFocus((episode) => {
    if (shown === episode) return;
    shown = episode;
    terminal.heading(episode, known.get(episode) ?? episode);
  });
  const know = ({ episode, scenario, condition }: EpisodeHeading): void => {
    known.set(episode, `${episode} · ${scenario} · ${condition}`);
    focus.expect(episode);
  };
  const afterBegin = (episode: string, act: () => void): void => {
    if (known.has(episode)) return act();
    if (early.add(episode, act) < MOST_WAITING) return;
    known.set(episode, episode);
    for (const late of early.take(episode)) late();
  };
  return {
    begin: (heading) => {
      know(heading);
      focus.goOn();
      for (const act of early.take(heading.episode)) act();
    },
    resume: know,
    end: focus.end,
    afterBegin,
    under: (episode, act) => afterBegin(episode, () => focus.under(episode, act)),
    flush: focus.flush,
  };
}

/**
 * Which episode is printed as it goes on. @param show prints the heading of an episode, if it is not the last one
 * printed
 */
function createFocus(show: (episode: string) => void) {
  const held = createWaiting();
  /** Episodes that have begun and were not in focus yet, in order. */
  const next: string[] = [];
  const over = new Set<string>();
  let focus: string | undefined;
  const release = (episode: string): void => {
    for (const act of held.take(episode)) act();
  };
  const goOn = (): void => {
    while (focus === undefined || over.has(focus)) {
      focus = next.shift();
      if (focus === undefined) return;
      if (!over.has(focus)) show(focus);
      release(focus);
    }
  };
  const waits = (episode: string): boolean => {
    focus ??= episode;
    return focus !== episode && (!over.has(episode) || next.includes(episode));
  };
  return {
    goOn,
    expect: (episode: string): void => void next.push(episode),
    end: (episode: string): void => {
      over.add(episode);
      goOn();
    },
    under: (episode: string, act: () => void): void => {
      const print = (): void => {
        show(episode);
        act();
      };
      if (!waits(episode)) print();
      else if (held.add(episode, print) >= MOST_WAITING) release(episode);
    },
    flush: (): void => {
      for (const episode of next.splice(0)) release(episode);
    },
  };
}

/** Actions that wait, by episode. */
function createWaiting() {
  const waiting = new Map<string, (() => void)[]>();
  return {
    /** @returns how many wait for the episode now */
    add: (episode: string, act: () => void): number => {
      const acts = waiting.get(episode) ?? [];
      waiting.set(episode, acts);
      return acts.push(act);
    },
    take: (episode: string): (() => void)[] => {
      const acts = waiting.get(episode) ?? [];
      waiting.delete(episode);
      return acts;
    },
  };
}
