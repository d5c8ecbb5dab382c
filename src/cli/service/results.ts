/** `entrain results RUN --out DIR`: fetches the files of a run over NATS. */
import { open, rename } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { EntrainError } from '../../protocol/errors.ts';
import { parseMessage } from '../../protocol/nats-messages.ts';
import { filesAnswerSchema, partSchema } from '../../protocol/service-messages.ts';
import { nameFlag, noMore, required } from '../../process/flags.ts';
import { makeFolder } from '../../process/make-folder.ts';
import { usageText } from '../../process/usage.ts';
import { SERVICE_FLAGS, withService, type Service } from './ask-service.ts';

export const FLAGS = {
  out: { type: 'string', value: 'DIR', about: 'where the files go, in a folder of the run’s name' },
  states: {
    type: 'boolean',
    default: false,
    about: 'the recorded hidden states too, which are most of the bytes',
  },
  ...SERVICE_FLAGS,
} as const;
export { FLAGS as flags };

export const usage = (): string =>
  usageText(
    {
      call: 'entrain results RUN --out DIR',
      about:
        'Fetches the files of a run from the service. What was said is given to whoever submitted the run.',
    },
    FLAGS,
  );

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args: argv, options: FLAGS, allowPositionals: true });
  noMore(positionals, 1, 'one RUN');
  const name = nameFlag('RUN', positionals[0]);
  const folder = join(resolve(required('--out', values.out, 'a folder for the files')), name);
  const fetched = await withService(values.runs, (service) =>
    fetchAll(service, { run: name, folder, withStates: values.states }),
  );
  const bytes = fetched.reduce((sum, file) => sum + file.bytes, 0);
  console.log(
    values.json
      ? JSON.stringify({ run: name, folder, files: fetched })
      : `${fetched.length} files, ${(bytes / 1e6).toFixed(1)} MB, in ${folder}`,
  );
  return 0;
}

async function fetchAll(
  service: Service,
  of: { run: string; folder: string; withStates: boolean },
): Promise<{ path: string; bytes: number }[]> {
  const { run, folder, withStates } = of;
  const about = { code: 'MESSAGE_INVALID', what: 'The list of files' } as const;
  const { files } = parseMessage(filesAnswerSchema, await service.ask('files', { run }), about);
  const wanted = files.filter(({ path }) => withStates || !path.startsWith('streams/'));
  for (const { path } of wanted) await fetchFile(service, { run, path, to: placeIn(folder, path) });
  return wanted;
}

/** A path that leads out of the folder is refused, whoever named it. */
function placeIn(folder: string, path: string): string {
  const place = resolve(folder, path);
  if (place.startsWith(folder + sep)) return place;
  throw new EntrainError(
    'MESSAGE_INVALID',
    `The service named the file ${path}: expected one inside the run folder.`,
  );
}

/** The file has its name once it is whole. */
async function fetchFile(service: Service, of: { run: string; path: string; to: string }): Promise<void> {
  const { run, path, to } = of;
  await makeFolder(dirname(to));
  const draft = `${to}.part`;
  const file = await open(draft, 'w', 0o600);
  try {
    for (let offset = 0, last = false; !last;) {
      const about = { code: 'MESSAGE_INVALID', what: `A part of ${path}` } as const;
      const part = parseMessage(partSchema, await service.ask('file', { run, path, offset }), about);
      const bytes = Buffer.from(part.data, 'base64');
      await file.write(bytes);
      offset += bytes.length;
      last = part.last || bytes.length === 0;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, to);
}
