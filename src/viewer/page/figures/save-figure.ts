/** Saves a figure as a file: SVG with its styles, or the numbers behind it as CSV. */
import type { Cell } from './ladder-table.ts';

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

interface Save {
  /** Of the file. */
  name: string;
  /** Stands above the picture. */
  title: string;
}

const NAMESPACE = 'http://www.w3.org/2000/svg';
const LINE_PX = 18;
/** Of a character of a caption; a little more than it takes, so that no line is cut. */
const CHAR_PX = 7.4;

/** All plots inside an element, stacked vertically below title and legend, as one SVG; canvases become images in it. */
function pictureOf(place: Element | null, title: string): Picture {
  const whole = document.createElementNS(NAMESPACE, 'svg');
  const plots = [...(place?.querySelectorAll<SVGSVGElement | HTMLCanvasElement>('svg, canvas') ?? [])];
  const width = Math.max(0, ...plots.map(widthOf));
  let height = 0;
  const write = (text: string, style: Element): void => {
    for (const line of wrap(text, width / CHAR_PX)) {
      height += LINE_PX;
      whole.append(textAt(line, style, height - 4));
    }
  };
  const legend = place?.querySelector<HTMLElement>('.legend');
  if (place) write(title, place);
  if (legend) write(legend.innerText, legend);
  for (const plot of plots) {
    height += 8;
    write(plot.closest('[data-caption]')?.getAttribute('data-caption') ?? '', plot);
    const group = document.createElementNS(NAMESPACE, 'g');
    group.setAttribute('transform', `translate(0 ${height + 6})`);
    const size = plot instanceof HTMLCanvasElement ? imageInto(group, plot) : plotInto(group, plot);
    whole.append(group);
    height += size.height + 12;
  }
  whole.setAttribute('viewBox', `0 0 ${width} ${height}`);
  whole.setAttribute('width', String(width * 2));
  whole.setAttribute('height', String(height * 2));
  return { text: new XMLSerializer().serializeToString(whole), width: width * 2, height: height * 2 };
}

const widthOf = (plot: SVGSVGElement | HTMLCanvasElement): number =>
  plot instanceof HTMLCanvasElement ? plot.clientWidth : plot.viewBox.baseVal.width;

/** Lines of at most so many characters, broken at spaces. */
function wrap(text: string, most: number): string[] {
  return text.split(/\s+/).reduce<string[]>((lines, word) => {
    const last = lines.at(-1);
    if (word === '') return lines;
    if (last === undefined || last.length + 1 + word.length > most) return [...lines, word];
    return [...lines.slice(0, -1), `${last} ${word}`];
  }, []);
}

function textAt(text: string, like: Element, y: number): SVGElement {
  const line = document.createElementNS(NAMESPACE, 'text');
  const { color, fontFamily } = getComputedStyle(like);
  const style = { fill: color, 'font-family': fontFamily, 'font-size': '13px', y: String(y) };
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
  const image = document.createElementNS(NAMESPACE, 'image');
  const { clientWidth: width, clientHeight: height } = canvas;
  for (const [name, value] of Object.entries({ width, height, href: canvas.toDataURL('image/png') }))
    image.setAttribute(name, String(value));
  group.append(image);
  return { width, height };
}

export function saveSvg(place: Element | null, { name, title }: Save): void {
  save(new Blob([pictureOf(place, title).text], { type: 'image/svg+xml' }), name);
}

/** The same as pixels, two for each of the page's, on the colour of the card. */
export async function savePng(place: Element | null, { name, title }: Save): Promise<void> {
  const { text, width, height } = pictureOf(place, title);
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
