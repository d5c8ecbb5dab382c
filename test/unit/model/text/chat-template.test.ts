/** Templates as models have them: what they do not allow is found out and worked around. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ChatTemplate, loadChatTemplate } from '../../../../src/model/text/chat-template.ts';
import type { Turn } from '../../../../src/model/text/template-roles.ts';
import { loadTokenizer } from '../../../../src/model/text/tokenizer.ts';
import { byteLevelTokenizer, TEMPLATES, tokenizerConfig } from '../../../fixtures/onnx/tokenizers.ts';
import { temporaryFolder } from '../../../fixtures/onnx/write-folder.ts';

async function load(template: string | undefined): Promise<ChatTemplate> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(byteLevelTokenizer(20).tokenizer));
  const config = template === undefined ? { bos_token: '<s>' } : tokenizerConfig(template);
  await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(config));
  return loadChatTemplate(folder, await loadTokenizer(folder));
}

const TALK: Turn[] = [
  { who: 'self', text: 'Hi.' },
  { who: 'peer', text: 'Apples?' },
  { who: 'self', text: 'Yes.' },
  { who: 'unheard', text: '' },
];

describe('a chat template', () => {
  it('that allows everything gets every message, and none for an unheard turn', async () => {
    const template = await load(TEMPLATES.own);
    expect(template).toMatchObject({ takesSystem: true, alternates: false, source: 'model' });
    const { text, ranges } = template.render('Sell.', TALK, true);
    expect(text).toBe(
      '<s><|system|>Sell.<|end|><|assistant|>Hi.<|end|><|user|>Apples?<|end|><|assistant|>Yes.<|end|><|assistant|>',
    );
    expect([...ranges].map(([turn, [start, end]]) => [turn, text.slice(start, end)])).toEqual([
      [0, 'Hi.'],
      [1, 'Apples?'],
      [2, 'Yes.'],
    ]);
  });

  it('that demands alternation gets … for an unheard turn and before an opening', async () => {
    const template = await load(TEMPLATES.instruct);
    expect(template).toMatchObject({ takesSystem: false, alternates: true });
    const { text, ranges } = template.render('Sell.', TALK, true);
    expect(text).toBe(
      '<s>[INST] Sell.\n\n… [/INST] Hi. </s>[INST] Apples? [/INST] Yes. </s>[INST] … [/INST]',
    );
    expect(text.slice(...(ranges.get(1) ?? [0, 0]))).toBe('Apples?');
  });

  it('that is missing is replaced by plain text, one line a turn', async () => {
    const template = await load(undefined);
    expect(template).toMatchObject({ source: 'plain', stops: ['\n'] });
    expect(template.render('Sell.', TALK, true).text).toBe(
      '<s>Sell.\n\nYou: Hi.\nThem: Apples?\nYou: Yes.\nYou:',
    );
  });

  it('that is broken is refused', async () => {
    await expect(load('{% for m in %}')).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED' });
  });

  it('does not read words as its marks or tokens', async () => {
    const template = await load(TEMPLATES.own);
    const text = 'a\u{F0E00}b\u{F0E01}c';
    expect(template.render('', [{ who: 'peer', text }], false).text).toBe('<s><|user|>abc<|end|>');
  });

  it.each([
    ['a user must have spoken', USER_NEEDED, false],
    ['roles must alternate from a user on', TEMPLATES.instruct, true],
    ['the system prompt stands before the last thing heard', SYSTEM_LAST, true],
  ])('with %s renders every prompt of an episode', async (_, source, alternates) => {
    const template = await load(source);
    expect(template.alternates).toBe(alternates);
    for (const who of [
      [],
      ['self'],
      ['peer', 'peer', 'self'],
      ['unheard', 'self', 'unheard'],
    ] as Turn['who'][][]) {
      const turns = who.map((one, i): Turn => ({ who: one, text: one === 'unheard' ? '' : `word${i}` }));
      const { text, ranges } = template.render('Sell.', turns, true);
      expect(text).toContain('Sell.');
      for (const [turn, [from, to]] of ranges) expect(text.slice(from, to)).toBe(`word${turn}`);
      expect(ranges.size).toBe(who.filter((one) => one !== 'unheard').length);
    }
  });

  it.each([
    ['leaves words out', '{% for m in messages %}{{ m.content[:40] }}{% endfor %}'],
    [
      'never holds two turns',
      "{% if messages|length > 2 %}{{ raise_exception('short talks only') }}{% endif %}{{ messages[0].content }}",
    ],
  ])('that %s is refused when it is loaded', async (_, source) => {
    await expect(load(source)).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED' });
  });

  it('that rewrites words is reported, and prompts have the rewritten words', async () => {
    const template = await load(
      '{% for m in messages %}<|{{ m.role }}|>{{ m.content | upper }}<|end|>{% endfor %}',
    );
    expect(template.notices).toEqual([expect.stringContaining('changes words that were heard and spoken')]);
    const { text, ranges } = template.render('', [{ who: 'peer', text: 'Hi' }], true);
    expect(text.slice(...(ranges.get(0) ?? [0, 0]))).toBe('HI');
    expect((await load(TEMPLATES.own)).notices).toEqual([]);
  });

  it('that cuts words at a mark in them still has its words found', async () => {
    const template = await load(
      "{% for m in messages %}<|{{ m.role }}|>{{ m.content.split('</think>')[-1] }}<|end|>{% endfor %}",
    );
    const { text, ranges } = template.render(
      '',
      [
        { who: 'self', text: 'so</think>Yes.' },
        { who: 'peer', text: 'No.' },
      ],
      true,
    );
    expect(text).toBe('<|assistant|>Yes.<|end|><|user|>No.<|end|>');
    expect([...ranges].map(([turn, [from, to]]) => [turn, text.slice(from, to)])).toEqual([[1, 'No.']]);
  });

  it('gets the date of the run, in UTC only', async () => {
    const dated =
      "{{ strftime_now('%A %d %B %Y %H:%M %-d/%-m %j %y %p') }}{% for m in messages %}{{ m.role }}{{ m.content }}{% endfor %}";
    const template = await load(dated);
    const zone = process.env['TZ'];
    try {
      for (const other of ['UTC', 'Pacific/Kiritimati', 'America/Los_Angeles']) {
        process.env['TZ'] = other;
        expect(template.at(Date.UTC(2026, 2, 1, 23, 59)).render('', [], true).text).toBe(
          'Sunday 01 March 2026 23:59 1/3 060 26 PM',
        );
      }
    } finally {
      process.env['TZ'] = zone ?? '';
    }
    expect(template.render('', [], true).text).toContain('01 January 2025');
  });

  it('with other line breaks renders the same text', async () => {
    const lines = '{% for m in messages -%}\n  {{ m.role }}: {{ m.content }}\n{% endfor %}\nnext\n';
    const [unix, dos, mac] = await Promise.all(
      [lines, lines.replaceAll('\n', '\r\n'), lines.replaceAll('\n', '\r')].map(load),
    );
    const render = (one: ChatTemplate | undefined): string | undefined =>
      one?.render('Sell.', TALK, true).text;
    expect(render(unix)).toContain('user: Apples?');
    expect(render(unix)).not.toContain('\r');
    expect([render(dos), render(mac)]).toEqual([render(unix), render(unix)]);
  });

  it.each([
    { of: 'own', source: TEMPLATES.own, endOfTurn: '<|end|>', stops: [] },
    { of: 'instruct', source: TEMPLATES.instruct, endOfTurn: '</s>', stops: [] },
    { of: 'ChatML in plain text', source: TEMPLATES.chatml, endOfTurn: undefined, stops: ['<|im_end|>'] },
  ])('ends a reply as the template ends a turn: $of', async ({ source, endOfTurn, stops }) => {
    const template = await load(source);
    expect(template.marks.endOfTurn).toBe(endOfTurn);
    expect(template.stops).toEqual(stops);
  });
});

const USER_NEEDED =
  "{% set ns = namespace(u=false) %}{% for m in messages %}{% if m.role == 'user' %}{% set ns.u = true %}{% endif %}{% endfor %}" +
  "{% if not ns.u %}{{ raise_exception('No user query found') }}{% endif %}" +
  '{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}';

/** As Mistral has it since v0.3. */
const SYSTEM_LAST =
  "{% if messages[0].role == 'system' %}{% set system = messages[0].content %}{% set loop_messages = messages[1:] %}" +
  "{% else %}{% set system = '' %}{% set loop_messages = messages %}{% endif %}{{ bos_token }}" +
  "{% for m in loop_messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('alternate') }}{% endif %}" +
  "{% if m.role == 'user' %}{% if loop.last and system %}{{ '[INST] ' + system + '\n\n' + m.content + '[/INST]' }}" +
  "{% else %}{{ '[INST] ' + m.content + '[/INST]' }}{% endif %}{% else %}{{ ' ' + m.content + '</s>' }}{% endif %}{% endfor %}";
