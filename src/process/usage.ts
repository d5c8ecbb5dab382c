/** The text of `--help`, made from the table of a program's flags, so that every flag is described. */
export interface Flag {
  type: 'string' | 'boolean';
  default?: string | boolean;
  multiple?: boolean;
  /** Placeholder of its value, such as `FILE`. */
  value?: string;
  /** What the flag does, in a few words. */
  about: string;
}

/** How the program is called and what it does, one line each; printed before the flags. */
export interface Usage {
  call: string;
  about: string;
}

export function usageText({ call, about }: Usage, flags: Readonly<Record<string, Flag>>): string {
  const rows = Object.entries(flags).map(([name, flag]) => [nameOf(name, flag), aboutOf(flag)] as const);
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`);
  return [call, `  ${about}`, '', ...lines].join('\n');
}

const nameOf = (name: string, { type, value }: Flag): string =>
  type === 'boolean' ? `--${name}` : `--${name} ${value ?? 'TEXT'}`;

function aboutOf({ about, default: usual, multiple }: Flag): string {
  const often = multiple === true ? '; may be given several times' : '';
  return typeof usual === 'string' ? `${about}${often} (${usual})` : `${about}${often}`;
}
