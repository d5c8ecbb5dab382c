/**
 * Python's `strftime` in UTC and English, for dates in chat templates, independent of the machine's clock, time zone
 * and language.
 */

const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');
const DAY_MS = 86_400_000;

/** @param ms milliseconds since 1970, UTC. Unknown directives are left unchanged. */
export function strftime(ms: number, format: string): string {
  const date = new Date(ms);
  return format.replaceAll(/%(-?)([A-Za-z%])/g, (directive, dash: string, letter: string) => {
    const value = Object.hasOwn(FIELDS, letter) ? FIELDS[letter]?.(date) : undefined;
    if (value === undefined) return directive;
    return dash === '-' ? value.replace(/^[0 ]+(?=.)/, '') : value;
  });
}

type Field = (date: Date) => string;

const padded = (value: number, length = 2, fill = '0'): string => String(value).padStart(length, fill);
const nameOf = (names: readonly string[], index: number): string => names[index] ?? '';
const hour12 = (date: Date): number => date.getUTCHours() % 12 || 12;
const dayOfYear = (date: Date): number =>
  Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY_MS) + 1;

const FIELDS: Readonly<Record<string, Field>> = {
  Y: (date) => String(date.getUTCFullYear()),
  y: (date) => padded(date.getUTCFullYear() % 100),
  m: (date) => padded(date.getUTCMonth() + 1),
  B: (date) => nameOf(MONTHS, date.getUTCMonth()),
  b: (date) => nameOf(MONTHS, date.getUTCMonth()).slice(0, 3),
  h: (date) => nameOf(MONTHS, date.getUTCMonth()).slice(0, 3),
  d: (date) => padded(date.getUTCDate()),
  e: (date) => padded(date.getUTCDate(), 2, ' '),
  j: (date) => padded(dayOfYear(date), 3),
  A: (date) => nameOf(DAYS, date.getUTCDay()),
  a: (date) => nameOf(DAYS, date.getUTCDay()).slice(0, 3),
  w: (date) => String(date.getUTCDay()),
  u: (date) => String(date.getUTCDay() || 7),
  H: (date) => padded(date.getUTCHours()),
  I: (date) => padded(hour12(date)),
  p: (date) => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
  M: (date) => padded(date.getUTCMinutes()),
  S: (date) => padded(date.getUTCSeconds()),
  f: (date) => padded(date.getUTCMilliseconds() * 1000, 6),
  s: (date) => String(Math.floor(date.getTime() / 1000)),
  Z: () => 'UTC',
  z: () => '+0000',
  F: (date) => strftime(date.getTime(), '%Y-%m-%d'),
  T: (date) => strftime(date.getTime(), '%H:%M:%S'),
  R: (date) => strftime(date.getTime(), '%H:%M'),
  D: (date) => strftime(date.getTime(), '%m/%d/%y'),
  x: (date) => strftime(date.getTime(), '%m/%d/%y'),
  X: (date) => strftime(date.getTime(), '%H:%M:%S'),
  c: (date) => strftime(date.getTime(), '%a %b %e %H:%M:%S %Y'),
  '%': () => '%',
};
