/**
 * The states of an agent's own turns in the episodes by which later states are moved. They are kept beside the spool,
 * a line for each, so that an agent that comes back moves states as its earlier life did. No other agent gets them.
 */
import { appendFile, mkdir, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface KeptPlace {
  condition: string;
  episode: string;
  turn: number;
  layer: number;
}

export interface KeptStates {
  /** @param state [dims] */
  keep(at: KeptPlace, state: Float32Array): Promise<void>;
  /** [dims]; undefined where none was kept. */
  at(place: KeptPlace): Promise<Float32Array | undefined>;
  /** [dims] each, of one condition and layer, in the order of episodes and turns. */
  of(at: Pick<KeptPlace, 'condition' | 'layer'>): Promise<Float32Array[]>;
  /** The run is over. */
  remove(): Promise<void>;
}

/** Components of more states hardly differ. */
const MOST_STATES = 512;

export function createKeptStates(file: string): KeptStates {
  const loaded = load(file);
  let written: Promise<void> = loaded.then(() => undefined);
  return {
    keep: async (at, state) => {
      const known = await loaded;
      // An episode that is played again in a later life gives the same state.
      if (known.has(keyOf(at))) return;
      known.set(keyOf(at), { ...at, state: state.slice() });
      const text = Buffer.from(new Uint8Array(state.slice().buffer)).toString('base64');
      await (written = written.then(() => append(file, { ...at, state: text })));
    },
    at: async (place) => (await loaded).get(keyOf(place))?.state,
    of: async ({ condition, layer }) =>
      [...(await loaded).values()]
        .filter((kept) => kept.condition === condition && kept.layer === layer)
        .sort((a, b) => (a.episode === b.episode ? a.turn - b.turn : a.episode < b.episode ? -1 : 1))
        .slice(0, MOST_STATES)
        .map(({ state }) => state),
    remove: async () => {
      await written.catch(() => undefined);
      await rm(file, { force: true });
    },
  };
}

async function append(file: string, line: object): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await appendFile(file, `${JSON.stringify(line)}\n`);
}

interface Kept extends KeptPlace {
  state: Float32Array;
}

const keyOf = ({ condition, episode, turn, layer }: KeptPlace): string =>
  `${condition} ${episode} ${turn} ${layer}`;

async function load(file: string): Promise<Map<string, Kept>> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const known = new Map<string, Kept>();
  for (const line of text.split('\n')) {
    const kept = parse(line);
    if (kept) known.set(keyOf(kept), kept);
  }
  return known;
}

/** Undefined for a line that a crash has cut. */
function parse(line: string): Kept | undefined {
  try {
    const { state, ...at } = JSON.parse(line) as KeptPlace & { state: string };
    const bytes = Uint8Array.from(Buffer.from(state, 'base64'));
    return { ...at, state: new Float32Array(bytes.buffer) };
  } catch {
    return undefined;
  }
}
