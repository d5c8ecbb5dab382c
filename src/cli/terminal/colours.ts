/** Colours of the terminal: speakers and headings. None with NO_COLOR (no-color.org), nor on a dumb terminal. */
import { environment } from '../../process/environment.ts';

export interface Colours {
  /** Colours the name at the beginning of a speaker's line. */
  speaker(line: string, agent: string): string;
  heading(line: string): string;
}

/** Cyan, yellow, magenta, green: readable on light and on dark. */
const HUES = [36, 33, 35, 32];

export function createColours(): Colours {
  const isPlain = (environment('NO_COLOR') ?? '') !== '' || environment('TERM') === 'dumb';
  const agents: string[] = [];
  const sgr = (code: string, text: string): string => `\u001b[${code}m${text}\u001b[0m`;
  if (isPlain) return { speaker: (line) => line, heading: (line) => line };
  return {
    speaker: (line, agent) => {
      if (!agents.includes(agent)) agents.push(agent);
      const hue = HUES[agents.indexOf(agent) % HUES.length] ?? 36;
      const from = line.indexOf(agent);
      const end = from + agent.length;
      return from < 0 ? line : line.slice(0, from) + sgr(`1;${hue}`, agent) + line.slice(end);
    },
    heading: (line) => sgr('1', line),
  };
}
