/** Loads what a model folder says about words: tokenizer, chat template, and the tokens that end a reply. */
import { EntrainError } from '../../protocol/errors.ts';
import type { ModelParts } from '../dialogue/engine.ts';
import type { ModelFolder } from '../folder/model-folder.ts';
import { type ChatTemplate, loadChatTemplate } from '../text/chat-template.ts';
import { createEscape } from '../text/escape-special-tokens.ts';
import { loadTokenizer, type Tokenizer } from '../text/tokenizer.ts';

export type Words = Pick<
  ModelParts,
  'tokenizer' | 'template' | 'escape' | 'endTokenIds' | 'leaveTokenIds' | 'turnTokenIds'
> & {
  notices: string[];
};

/**
 * @param rows number of tokens of the model
 * @throws EntrainError `VOCABULARY_MISMATCH`, `MODEL_MISSING`, `MODEL_CORRUPT` or `MODEL_UNSUPPORTED`
 */
export async function openWords(folder: ModelFolder, rows: number): Promise<Words> {
  const tokenizer = await loadTokenizer(folder.path, rows);
  if (tokenizer.largestId >= rows) throw beyond(`The tokenizer knows ids up to ${tokenizer.largestId}`, rows);
  const template = await loadChatTemplate(folder.path, tokenizer);
  const wanted = tokenizer.leftOut.find((name) => template.render('', [], true).text.includes(name));
  if (wanted !== undefined)
    throw beyond(`The chat template writes ${wanted}, a token of the tokenizer`, rows);
  const { controls, encode, decode, specials } = tokenizer;
  const unknown = controls.get(specials['unk_token'] ?? '');
  return {
    tokenizer,
    template,
    escape: createEscape({ controls, unknown, roles: template.marks.roles, encode, decode }),
    ...endTokens(folder, tokenizer, template),
  };
}

function beyond(what: string, rows: number): EntrainError {
  return new EntrainError(
    'VOCABULARY_MISMATCH',
    `${what}, the model only ${rows} tokens; put the model's own tokenizer.json into its folder.`,
  );
}

const LEAVE = '<|leave|>';

function endTokens(
  { config }: ModelFolder,
  tokenizer: Tokenizer,
  { marks, notices }: ChatTemplate,
): Pick<Words, 'endTokenIds' | 'leaveTokenIds' | 'turnTokenIds' | 'notices'> {
  const idsOf = (names: readonly (string | undefined)[]): number[] =>
    names.flatMap((name) => tokenizer.idOf(name ?? '') ?? []);
  const stated = new Set([...config.endTokenIds, ...idsOf([tokenizer.specials['eos_token']])]);
  const ends = new Set([...stated, ...idsOf([marks.endOfTurn])]);
  const leave = tokenizer.idOf(LEAVE);
  return {
    endTokenIds: [...ends],
    leaveTokenIds: leave !== undefined && ends.has(leave) ? [leave] : [],
    turnTokenIds: idsOf(marks.between).filter((id) => !ends.has(id)),
    notices:
      ends.size === stated.size || marks.endOfTurn === undefined
        ? notices
        : [
            ...notices,
            `The chat template ends turns with ${marks.endOfTurn}, which generation_config.json does not name: it ends a reply all the same.`,
          ],
  };
}
