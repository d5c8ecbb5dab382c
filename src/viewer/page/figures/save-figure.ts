/** Saves a figure as a file: SVG with its styles, or the numbers behind it as CSV. */

export type Cell = string | number | null;

/** Style properties that are copied into a saved figure. */
const KEPT = [
  'fill',
  'stroke',
  'stroke-width',
  'stroke-dasharray',
  'opacity',
  'font-size',
  'font-family',
  'font-weight',
];

/** Saves all plots inside an element, stacked vertically, as one SVG file. */
export function saveSvg(place: Element | null, name: string): void {
  const plots = [...(place?.querySelectorAll('svg') ?? [])];
  const namespace = 'http://www.w3.org/2000/svg';
  const whole = document.createElementNS(namespace, 'svg');
  let height = 0;
  let width = 0;
  for (const plot of plots) {
    const { width: plotWidth, height: plotHeight } = plot.viewBox.baseVal;
    const copy = plot.cloneNode(true) as SVGSVGElement;
    keepStyles(plot, copy);
    const group = document.createElementNS(namespace, 'g');
    group.setAttribute('transform', `translate(0 ${height})`);
    group.append(...copy.childNodes);
    whole.append(group);
    height += plotHeight + 12;
    width = Math.max(width, plotWidth);
  }
  whole.setAttribute('viewBox', `0 0 ${width} ${height}`);
  whole.setAttribute('width', String(width * 2));
  save(new Blob([new XMLSerializer().serializeToString(whole)], { type: 'image/svg+xml' }), name);
}

function keepStyles(from: Element, to: Element): void {
  const style = getComputedStyle(from);
  for (const name of KEPT) to.setAttribute(name, style.getPropertyValue(name));
  [...from.children].forEach((child, at) => {
    const copy = to.children[at];
    if (copy) keepStyles(child, copy);
  });
}

export function saveCsv(name: string, rows: readonly (readonly Cell[])[]): void {
  const cell = (value: Cell): string => {
    const text = value === null ? '' : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const text = rows.map((row) => row.map(cell).join(',')).join('\n');
  save(new Blob([`${text}\n`], { type: 'text/csv' }), name);
}

function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
