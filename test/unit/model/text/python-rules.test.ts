/** Templates by the rules of Python, whose figures here are those of jinja2 3.1.6. */
import { describe, expect, it } from 'vitest';
import { createFill, parseTemplate } from '../../../../src/model/text/template-source.ts';

/** @param content what the template finds as the words of the one message */
function rendered(template: string, content = ''): string {
  return createFill(parseTemplate(template), {}, 0)([{ role: 'user', content }], true);
}

const all = (expressions: readonly string[]): string =>
  rendered(expressions.map((expression) => `{{ ${expression} }}`).join('|'));

describe('equality in a chat template', () => {
  it('holds for values of one type, or for numbers', () => {
    expect(all(["'' == false", "'' != false", '0 == false', '1 == true', "'1' == 1", "'' == 0"])).toBe(
      'false|true|true|true|false|false',
    );
  });

  it('of none holds only with none, and of an undefined value with undefined ones', () => {
    expect(all(['none == none', 'none == false', 'none == x', 'x == y', "'' == none", 'x != none'])).toBe(
      'true|false|false|true|false|true',
    );
  });

  it('of lists and maps is by content', () => {
    const lists = ["[1, 'a'] == [1, 'a']", '[1] == [1, 2]', '[] == false', '[] != []', "'a' == ['a']"];
    expect(all(lists)).toBe('true|false|false|false|false');
    expect(all(["{'a': 1} == {'a': 1.0}", "{'a': [1]} != {'a': [2]}", "{'a': 1} == {'b': 1}"])).toBe(
      'true|true|false',
    );
  });

  it('distinguishes an empty system prompt from none, as templates of Llama 2 need', () => {
    const template =
      "{% set system = messages[0]['content'] %}{% if system != false %}<<SYS>>{{ system }}<</SYS>>{% endif %}";
    expect(rendered(template, '')).toBe('<<SYS>><</SYS>>');
  });

  it('holds also inside loops, conditions and macros, beside names that are set later', () => {
    const template = `{% set ns = namespace(last='') %}{% for m in messages if m.role == 'user' %}
{%- macro mark(a) %}{{ '<' if a == ns.last else '[' }}{% endmacro %}
{%- set kind = 'x' %}{{ mark('') }}{{ kind == 'x' }}{% set ns.last = kind %}{{ mark('') }}{% endfor %}`;
    expect(rendered(template, 'hi')).toBe('<true[');
  });
});

describe('strip in a chat template', () => {
  it('removes the given characters', () => {
    const given = [
      "'xxaxx'.strip('x')",
      "'\\n\\n a\\n'.lstrip('\\n')",
      "' a\\n\\n'.rstrip('\\n')",
      "' a '.strip(none)",
    ];
    expect(all(given)).toBe('a| a\n| a|a');
    expect(
      all(["'abcba'.strip('ab')", "'-]a^'.strip('^-]')", "'--a--' | trim('-')", "'😀a'.lstrip('😀')"]),
    ).toBe('c|a|a|a');
  });

  it('removes what Python takes for white space by default', () => {
    const ways = ['m.strip()', 'm | trim', 'm.lstrip()', 'm.rstrip()']
      .map((way) => `{{ ${way.replace('m', 'messages[0].content')} }}`)
      .join('|');
    expect(rendered(ways, '\u001c\u0085\u00a0 w\u001f\u3000\u2028')).toBe(
      'w|w|w\u001f\u3000\u2028|\u001c\u0085\u00a0 w',
    );
    const kept = '\ufeff\u001c w\u200b';
    expect(rendered(ways, kept)).toBe([kept, kept, kept, kept].join('|'));
  });

  it('accepts a number or nothing as a filter, and only text as a method', () => {
    expect(all(['5 | trim', 'none | trim', 'x | trim'])).toBe('5|None|');
    expect(() => all(['x.strip()'])).toThrow();
  });
});
