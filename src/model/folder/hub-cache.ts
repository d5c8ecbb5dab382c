/**
 * The hub's cache: `models--OWNER--NAME/snapshots/COMMIT/…` holds links into `models--OWNER--NAME/blobs/`. A link
 * within the repository's folder is accepted like a file.
 */
import { realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { EntrainError } from '../../protocol/errors.ts';

export interface HubPlace {
  /** The repository's folder in the cache. */
  root: string;
  /** The repository's name, without its owner. */
  name: string;
}

/** @returns undefined for a path that is not in such a cache */
export function hubPlaceOf(path: string): HubPlace | undefined {
  const parts = path.split(sep);
  const at = parts.findIndex((part, i) => part.startsWith('models--') && parts[i + 1] === 'snapshots');
  const name = parts[at]?.split('--').at(-1);
  if (at < 0 || !name || parts[at + 2] === undefined) return undefined;
  return { root: parts.slice(0, at + 1).join(sep), name };
}

/**
 * @returns the real place of a file, relative to the repository's folder
 * @throws EntrainError `MODEL_UNSAFE` if that is outside of it, `MODEL_MISSING` if it does not exist
 */
export async function placeInHub(file: string, { root }: HubPlace): Promise<string> {
  const [real, top] = await Promise.all([realpath(file).catch(() => undefined), realpath(root)]);
  if (real === undefined) throw missing(file);
  const place = relative(top, real);
  if (!place.startsWith('..') && !isAbsolute(place)) return place;
  throw new EntrainError(
    'MODEL_UNSAFE',
    `${file} leads out of the repository's folder ${root}, expected a file of its own; fetch the model again.`,
  );
}

function missing(file: string): EntrainError {
  return new EntrainError(
    'MODEL_MISSING',
    `There is no ${file}, where the graph keeps weights; fetch it into the graph's folder.`,
  );
}

/** Path of such a place. */
export const fileInHub = ({ root }: HubPlace, place: string): string => join(root, place);
