/** The flags of `entrain view`. */
import { readdir } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { EntrainError } from '../protocol/errors.ts';
import { runFlag } from '../process/flags.ts';
import { usageText } from '../process/usage.ts';
import { readHttpToken } from '../transport/http/access.ts';
import { readServing, SERVE_FLAGS, type Serving } from '../transport/http/serve-flags.ts';
import { natsFromEnvironment, type NatsOptions } from '../transport/nats/connection.ts';

export interface Settings {
  /** Folder of run folders. */
  runs: string;
  /** The run that is shown first. */
  run: string | undefined;
  /** A second one, beside which the first is shown. */
  beside: string | undefined;
  serving: Serving;
  /** With which the programs of a run are asked how they are; undefined where they need none. */
  figuresToken: string | undefined;
  /** Whether the next free port may be used, since no port was given. */
  mayMove: boolean;
  /** The NATS server for tokens as they are spoken; undefined: only whole utterances are shown. */
  nats: NatsOptions | undefined;
}

/** The default port. */
const VIEW_PORT = 9470;

export const FLAGS = {
  runs: { type: 'string', default: 'runs', value: 'DIR', about: 'where run folders are' },
  ...SERVE_FLAGS,
  port: {
    type: 'string',
    value: 'PORT',
    about: `of that address; 0 takes a free one (${VIEW_PORT}, or the next one that is free)`,
  },
  'figures-token-file': {
    type: 'string',
    value: 'FILE',
    about: 'the token of the programs’ metrics, where it is another one than that of the viewer',
  },
  live: {
    type: 'boolean',
    default: false,
    about: 'shows words as they are spoken, from the NATS server that NATS_URL names',
  },
} as const;

export const usage = (): string =>
  usageText(
    {
      call: 'entrain view [RUN [RUN]]',
      about:
        'Shows runs in a browser, as they happen and afterwards: the talk, and what each rung says of it. RUN is the name or folder of the one that is shown first; two are shown side by side.',
    },
    FLAGS,
  );

/** @throws EntrainError `USAGE`, `CONFIG_INVALID` */
export async function readSettings(argv: string[]): Promise<Settings> {
  const { values, positionals } = parseArgs({
    args: argv,
    options: FLAGS,
    strict: true,
    allowPositionals: true,
  });
  const [given, second, ...more] = positionals;
  if (more.length > 0)
    throw new EntrainError(
      'USAGE',
      `view shows one run first, or two side by side, not ${positionals.join(' and ')}: name two at most.`,
    );
  const { runs, run } = placeOf(values.runs, given);
  const beside =
    second === undefined ? undefined : besideOf({ runs, first: given ?? '' }, values.runs, second);
  await requireFolder(runs);
  const serving = await readServing({ ...values, port: values.port ?? String(VIEW_PORT) });
  return {
    runs,
    run,
    beside,
    serving,
    figuresToken: (await readHttpToken(values['figures-token-file'])) ?? serving.token,
    mayMove: values.port === undefined,
    nats: values.live ? await natsFromEnvironment() : undefined,
  };
}

/** A run by its name, or by its folder, which stands where the other runs are. */
function placeOf(runs: string, run: string | undefined): Pick<Settings, 'runs' | 'run'> {
  if (run === undefined) return { runs: resolve(runs), run };
  if (!/[/\\]/.test(run)) return { runs: resolve(runs), run: runFlag('RUN', run) };
  const folder = resolve(run);
  return { runs: dirname(folder), run: runFlag('RUN', basename(folder)) };
}

/** The second of two runs, which must stand where the first does: the viewer shows the runs of one folder. */
function besideOf(of: { runs: string; first: string }, runs: string, second: string): string | undefined {
  const place = placeOf(/[/\\]/.test(second) ? runs : of.runs, second);
  if (place.runs === of.runs) return place.run;
  throw new EntrainError(
    'USAGE',
    `${of.first} and ${second} stand in different folders: move one of them beside the other, or name runs of one folder with --runs.`,
  );
}

/** A folder that is not there yet has no runs yet. */
async function requireFolder(runs: string): Promise<void> {
  await readdir(runs).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return;
    const why = cause.code === 'ENOTDIR' ? 'is or lies below a file' : `cannot be read (${cause.code})`;
    throw new EntrainError(
      'CONFIG_INVALID',
      `--runs ${runs} ${why}: expected a folder of run folders. Name another one.`,
      { cause },
    );
  });
}
