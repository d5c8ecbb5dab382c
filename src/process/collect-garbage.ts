/**
 * Gives the memory of what is no longer used back at once: a thread that goes idle would keep it, for nothing it does
 * makes V8 look.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/**
 * Of the calling thread; it takes as long as its own objects are many, which are few where memory is in large arrays.
 */
export function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}
