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

interface Picture {
  text: string;
  width: number;
  height: number;
}

/** All plots inside an element, stacked vertically, as one SVG; canvases become images in it. */
function pictureOf(place: Element | null): Picture {
  const namespace = 'http://www.w3.org/2000/svg';
  const whole = document.createElementNS(namespace, 'svg');
  let [width, height] = [0, 0];
  for (const plot of place?.querySelectorAll<SVGSVGElement | HTMLCanvasElement>('svg, canvas') ?? []) {
    const caption = captionOf(plot);
    if (caption) {
      caption.setAttribute('y', String(height + 16));
      whole.append(caption);
      height += CAPTION_PX;
    }
    const group = document.createElementNS(namespace, 'g');
    group.setAttribute('transform', `translate(0 ${height})`);
    const size = plot instanceof HTMLCanvasElement ? imageInto(group, plot) : plotInto(group, plot);
    whole.append(group);
    height += size.height + 12;
    width = Math.max(width, size.width);
  }
  whole.setAttribute('viewBox', `0 0 ${width} ${height}`);
  whole.setAttribute('width', String(width * 2));
  whole.setAttribute('height', String(height * 2));
  return { text: new XMLSerializer().serializeToString(whole), width: width * 2, height: height * 2 };
}

const CAPTION_PX = 26;

/** What the plot is, as a line of text above it; the figure says it in `data-caption`. */
function captionOf(plot: Element): SVGElement | undefined {
  const text = plot.closest('[data-caption]')?.getAttribute('data-caption');
  if (!text) return undefined;
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'text');
  const { color, fontFamily } = getComputedStyle(plot);
  const style = { fill: color, 'font-family': fontFamily, 'font-size': '13px', 'font-weight': '650' };
  for (const [name, value] of Object.entries(style)) line.setAttribute(name, value);
  line.textContent = text;
  return line;
}

function plotInto(group: SVGElement, plot: SVGSVGElement): { width: number; height: number } {
  const copy = plot.cloneNode(true) as SVGSVGElement;
  keepStyles(plot, copy);
  group.append(...copy.childNodes);
  return plot.viewBox.baseVal;
}

function imageInto(group: SVGElement, canvas: HTMLCanvasElement): { width: number; height: number } {
  const image = document.createElementNS('http://www.w3.org/2000/svg', 'image');
  const { clientWidth: width, clientHeight: height } = canvas;
  for (const [name, value] of Object.entries({ width, height, href: canvas.toDataURL('image/png') }))
    image.setAttribute(name, String(value));
  group.append(image);
  return { width, height };
}

export function saveSvg(place: Element | null, name: string): void {
  save(new Blob([pictureOf(place).text], { type: 'image/svg+xml' }), name);
}

/** The same as pixels, two for each of the page's, on the colour of the card. */
export async function savePng(place: Element | null, name: string): Promise<void> {
  const { text, width, height } = pictureOf(place);
  const url = URL.createObjectURL(new Blob([text], { type: 'image/svg+xml' }));
  const image = new Image(width, height);
  image.src = url;
  await image.decode();
  URL.revokeObjectURL(url);
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext('2d');
  if (!context || !place) return;
  context.fillStyle = getComputedStyle(place).getPropertyValue('--card');
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0, width, height);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (blob) save(blob, name);
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
