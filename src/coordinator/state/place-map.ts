/**
 * A map from places in the plan to values that is never changed: what differs from it is a new map that shares all
 * else. A change copies one path of a tree with 32 branches at a node, four nodes for a million episodes. What is
 * equal has the same form, however it came about.
 */

const BITS = 5;
const BRANCHES = 2 ** BITS;
const EMPTY: readonly undefined[] = Array.from({ length: BRANCHES }, () => undefined);

/** Nodes of level 0 hold values, those above them nodes. A part without values is undefined. */
type Node<T> = readonly (Node<T> | { value: T } | undefined)[];

export interface PlaceMap<T> {
  /** Level of the root. */
  level: number;
  root: Node<T> | undefined;
}

/** An empty map with room for this number of places. */
export function emptyMap<T>(places: number): PlaceMap<T> {
  let level = 0;
  while (BRANCHES ** (level + 1) < places) level += 1;
  return { level, root: undefined };
}

export function valueAt<T>({ level, root }: PlaceMap<T>, place: number): T | undefined {
  let node: Node<T> | undefined = root;
  for (let at = level; at > 0 && node; at -= 1) node = node[slotOf(place, at)] as Node<T> | undefined;
  return (node?.[slotOf(place, 0)] as { value: T } | undefined)?.value;
}

/** @param value undefined to take out what is at the place */
export function withValue<T>({ level, root }: PlaceMap<T>, place: number, value: T | undefined): PlaceMap<T> {
  const leaf = value === undefined ? undefined : { value };
  return { level, root: changed(root, { level, place, leaf }) };
}

/** The first place with a value. */
export function firstPlace<T>({ level, root }: PlaceMap<T>): number | undefined {
  if (!root) return undefined;
  let node: Node<T> = root;
  let place = 0;
  for (let at = level; ; at -= 1) {
    const slot = node.findIndex((held) => held !== undefined);
    place = place * BRANCHES + slot;
    if (at === 0) return place;
    node = node[slot] as Node<T>;
  }
}

function changed<T>(
  node: Node<T> | undefined,
  to: { level: number; place: number; leaf: { value: T } | undefined },
): Node<T> | undefined {
  const { level, place, leaf } = to;
  const slot = slotOf(place, level);
  const below =
    level === 0 ? leaf : changed(node?.[slot] as Node<T> | undefined, { ...to, level: level - 1 });
  const next: Node<T> = (node ?? EMPTY).with(slot, below);
  return below === undefined && next.every((held) => held === undefined) ? undefined : next;
}

const slotOf = (place: number, level: number): number => (place >>> (BITS * level)) % BRANCHES;
