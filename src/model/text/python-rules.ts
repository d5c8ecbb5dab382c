/**
 * Where Jinja's Python and the template library differ, Python's rules, put into a parsed template as calls of
 * functions:
 *
 *   a == b, a != b            ─▶ equal types or both numbers, lists and maps by what they hold ('' is not false)
 *   s.strip(c), lstrip, rstrip ─▶ the characters c where they are given, else what Python takes for white space
 *   s | trim(c)                ─▶ the same
 */
import { type Environment, parse, tokenize } from '@huggingface/jinja';

type Program = ReturnType<typeof parse>;
type Node = Record<string, unknown> & { type: string };

const SIDES = { strip: 'both', lstrip: 'left', rstrip: 'right', trim: 'both' } as const;
type Method = keyof typeof SIDES;

/** No template can spell these names. */
const NAMES = { equal: 'python equal', unequal: 'python unequal' } as const;
const nameOf = (method: Method): string => `python ${method}`;

type Values = readonly { type: string; value: unknown }[];

/** What a template with Python's rules calls. */
const FUNCTIONS: Readonly<Record<string, (...values: unknown[]) => unknown>> = {
  [NAMES.equal]: (a, b) => isEqual(a, b),
  [NAMES.unequal]: (a, b) => !isEqual(a, b),
  ...Object.fromEntries(
    (Object.keys(SIDES) as Method[]).map((method) => [
      nameOf(method),
      (text: unknown, characters: unknown) => strip(method, text, characters),
    ]),
  ),
};

/** Sets what a template with Python's rules calls. */
export function setPythonFunctions(environment: Environment): void {
  for (const [name, job] of Object.entries(FUNCTIONS)) {
    const set = environment.set(name, job) as unknown as { value(args: Values, scope: unknown): unknown };
    const call = set.value;
    // The library hands `none` over as what is not there.
    set.value = (args, scope) =>
      call(
        args.map((arg) => ({ ...arg, value: bare(arg) })),
        scope,
      );
  }
}

/** The template, changed in place. */
export function withPythonRules(program: Program): Program {
  return rewritten(program) as Program;
}

function rewritten(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(rewritten);
  if (part instanceof Map)
    return new Map([...part].map(([key, value]) => [rewritten(key), rewritten(value)]));
  if (!isNode(part)) return part;
  for (const [field, value] of Object.entries(part)) part[field] = rewritten(value);
  return replacedBy(part) ?? part;
}

const isNode = (part: unknown): part is Node =>
  typeof part === 'object' && part !== null && typeof (part as Node).type === 'string';

function replacedBy(node: Node): Node | undefined {
  switch (node.type) {
    case 'BinaryExpression': {
      const { value } = node['operator'] as { value: string };
      if (value !== '==' && value !== '!=') return undefined;
      return callOf(value === '==' ? NAMES.equal : NAMES.unequal, [node['left'], node['right']]);
    }
    case 'CallExpression': {
      const callee = node['callee'] as Node;
      if (callee.type !== 'MemberExpression' || callee['computed'] === true) return undefined;
      const method = methodOf(callee['property']);
      if (method === undefined || method === 'trim') return undefined;
      return callOf(nameOf(method), [callee['object'], ...(node['args'] as unknown[])]);
    }
    case 'FilterExpression': {
      const filter = node['filter'] as Node;
      const isCall = filter.type === 'CallExpression';
      if (methodOf(isCall ? filter['callee'] : filter) !== 'trim') return undefined;
      return callOf(nameOf('trim'), [node['operand'], ...(isCall ? (filter['args'] as unknown[]) : [])]);
    }
    default:
      return undefined;
  }
}

function methodOf(part: unknown): Method | undefined {
  if (!isNode(part) || part.type !== 'Identifier') return undefined;
  const name = String(part['value']);
  return Object.hasOwn(SIDES, name) ? (name as Method) : undefined;
}

/** Nodes have the library's own classes, for it looks at them when it finds out which names a template sets. */
const [SAMPLE] = parse(tokenize('{{ f() }}')).body as unknown as [Node];

function callOf(name: string, args: unknown[]): Node {
  const callee = nodeLike(SAMPLE['callee'] as Node, { value: name });
  return nodeLike(SAMPLE, { callee, args });
}

const nodeLike = (sample: Node, fields: Record<string, unknown>): Node =>
  Object.assign(Object.create(Object.getPrototypeOf(sample) as object) as Node, sample, fields);

/** Values as the library hands them over: lists hold its own values, each with a `value`; maps likewise. */
function isEqual(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, at) => isEqual(bare(item), bare(b[at])));
  if (a instanceof Map && b instanceof Map)
    return (
      a.size === b.size && [...a].every(([key, item]) => b.has(key) && isEqual(bare(item), bare(b.get(key))))
    );
  return isNumber(a) && isNumber(b) ? Number(a) === Number(b) : a === b;
}

function bare(item: unknown): unknown {
  const { type, value } = item as Values[number];
  return type === 'NullValue' ? null : value;
}

/** Python counts truth values among the numbers. */
const isNumber = (value: unknown): boolean => typeof value === 'number' || typeof value === 'boolean';

/** `str.isspace` of Python: other than JavaScript's, with the separators of ASCII and U+0085, without U+FEFF. */
const WHITE_SPACE =
  '\t\n\v\f\r\u001c\u001d\u001e\u001f \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000';

function strip(method: Method, value: unknown, characters: unknown): string {
  const text = method === 'trim' ? asText(value) : value;
  if (typeof text !== 'string') throw new Error(`what ${method}() is called of is no text`);
  const off = new Set(typeof characters === 'string' ? characters : WHITE_SPACE);
  const letters = Array.from(text);
  let [from, to] = [0, letters.length];
  if (SIDES[method] !== 'right') while (from < to && off.has(letters[from] as string)) from += 1;
  if (SIDES[method] !== 'left') while (to > from && off.has(letters[to - 1] as string)) to -= 1;
  return letters.slice(from, to).join('');
}

/** The filter takes any value, as Python would print it. */
function asText(value: unknown): string {
  if (value === undefined) return '';
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw new Error('what trim() is called of is no text');
}
