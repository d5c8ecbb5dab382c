/**
 * Returns unused memory to the system at once. A thread that goes idle would keep it, since V8 collects only
 * while a thread works.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/**
 * Collects the garbage of the calling thread. The time grows with the number of its objects, not with the size
 * of its arrays.
 */
export function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}
