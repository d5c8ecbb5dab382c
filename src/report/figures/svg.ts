/** SVG and HTML as text. Whatever is put in as text or attribute is escaped. */

/** Markup that needs no escaping any more. */
export interface Markup {
  readonly markup: string;
}

export type Child = Markup | string | number | undefined | readonly Child[];
export type Attributes = Readonly<Record<string, string | number | undefined>>;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (char) => ESCAPES[char] ?? char);

/** Elements that have no end tag in HTML. */
const VOID = new Set(['meta', 'br']);

/** An element; a number is written with at most two decimals. */
export function el(name: string, attributes: Attributes = {}, ...children: Child[]): Markup {
  const set = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escaped(typeof value === 'number' ? short(value) : String(value))}"`)
    .join('');
  return {
    markup: VOID.has(name) ? `<${name}${set}>` : `<${name}${set}>${text(children)}</${name}>`,
  };
}

export const raw = (markup: string): Markup => ({ markup });

function text(child: Child): string {
  if (child === undefined) return '';
  if (typeof child === 'string') return escaped(child);
  if (typeof child === 'number') return escaped(String(child));
  return 'markup' in child ? child.markup : child.map(text).join('');
}

const short = (value: number): string => String(Number(value.toFixed(2)));
