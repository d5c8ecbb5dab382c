// Which pictures of the viewer stand in docs/images, and what of a run they show.

/** The study of three agents is played only until its picture is taken. */
export const IMAGES = [
  { name: 'viewer', of: 'finished', width: 1280, height: 800, colorScheme: 'light', isOpened: true },
  { name: 'viewer-dark', of: 'finished', width: 1280, height: 800, colorScheme: 'dark', isOpened: true },
  { name: 'viewer-phone', of: 'finished', width: 390, height: 844, colorScheme: 'light', isOpened: false },
  { name: 'viewer-live', of: 'running', width: 1280, height: 800, colorScheme: 'light', isOpened: false },
];

/** A turn is found by what stands near the beginning of its episode, so that the picture shows how it came about. */
const LAST_TURN = 3;

/**
 * The turn to show: of those with alternatives that all differ from one another, the one that moved its listener most.
 * Undefined where there is none.
 * @param talks `{ episode, words, effects }` of each episode, as the viewer's server sends them
 */
export function telling(talks) {
  const turns = talks.flatMap(({ episode, words, effects }) =>
    words.filter(isTelling).map(({ turn }) => ({ episode, turn, moved: movedAt(effects, turn) })),
  );
  return turns.filter(({ moved }) => moved > 0).toSorted((a, b) => b.moved - a.moved)[0];
}

function isTelling({ turn, text, alternatives = [] }) {
  const wordings = new Set([text, ...alternatives.map((one) => one.text)].map((words) => words.trim()));
  return turn <= LAST_TURN && alternatives.length > 1 && wordings.size === alternatives.length + 1;
}

const movedAt = ({ effects }, turn) =>
  Math.max(0, ...effects.filter((one) => one.turn === turn).map(({ moved }) => moved?.['0'] ?? 0));

/** The study of a third agent beside two: in each scenario it is the first person of the next one. */
export function withThird(study) {
  const { scenarios } = study;
  const third = (at) => scenarios[(at + 1) % scenarios.length].people[0];
  return {
    ...study,
    name: 'three',
    pairs: [[...study.pairs[0], 'cas']],
    scenarios: scenarios.map((one, at) => ({ ...one, people: [...one.people, third(at)] })),
  };
}
