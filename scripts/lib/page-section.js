// A section of a page that a script of its own writes: from its heading of the second level to the next one.

/** @returns the page with this section in place of the one with its heading, or behind all others */
export function replaceSection(page, section) {
  const [heading] = section.split('\n', 1);
  const known = findSection(page, heading);
  return known === undefined ? `${page.trimEnd()}\n\n${section}` : page.replace(known, () => section);
}

/** The section of a heading, up to the next one; undefined if the page has none. */
export function findSection(page, heading) {
  const parts = page.split(/^(?=## )/m);
  return parts.find((part) => part.split('\n', 1)[0] === heading);
}
