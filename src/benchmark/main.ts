/** `entrain benchmark DIR…`: a fixed protocol with each model, and a card for each. */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { evaluateByRules } from '../outcomes/evaluate-by-rules.ts';
import { required } from '../process/flags.ts';
import { usageText } from '../process/usage.ts';
import { writeAtomic } from '../process/write-atomic.ts';
import { cardPage } from './card-page.ts';
import { cardTable } from './card-table.ts';
import { makeCard, type Card } from './card.ts';
import { play, readProtocol } from './play.ts';

const FLAGS = {
  out: { type: 'string', default: 'benchmark', value: 'DIR', about: 'where the cards are written' },
  runs: { type: 'string', default: 'runs', value: 'DIR', about: 'where run folders are' },
  study: {
    type: 'string',
    value: 'FILE',
    about: 'a protocol of one’s own, with the agent own and a partner (studies/benchmark.json)',
  },
  provider: { type: 'string', default: 'cpu', value: 'NAME', about: 'cpu, webgpu, cuda, coreml or dml' },
  threads: { type: 'string', default: '1', value: 'N', about: 'of each model' },
  table: { type: 'boolean', default: false, about: 'print all models given in one table' },
} as const;

export const usage = (): string =>
  usageText(
    {
      call: 'entrain benchmark DIR… [--table]',
      about:
        'Lets each model talk with a reference model by a fixed, versioned protocol, and writes a card for it: as speaker and as listener, rung by rung, outcomes by rule, quality of talk, cost. A run that is there is used again, one that was stopped goes on.',
    },
    FLAGS,
  );

/** Arguments after `entrain benchmark` → exit status. */
export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: argv,
    options: FLAGS,
    strict: true,
    allowPositionals: true,
  });
  required('DIR', positionals[0], 'the folder of a model, or of several');
  const protocol = await readProtocol(values.study);
  const runs = resolve(values.runs);
  await mkdir(values.out, { recursive: true });
  const cards: Card[] = [];
  for (const model of positionals) {
    const flags = ['--provider', values.provider, '--threads', values.threads];
    const folder = await play(model, { protocol, runs, flags });
    await evaluateByRules(folder);
    const card = await makeCard(folder);
    const file = join(values.out, `${card.model.name}.${protocol.name}`);
    await writeAtomic(`${file}.json`, `${JSON.stringify(card, null, 2)}\n`);
    await writeAtomic(`${file}.html`, cardPage(card));
    process.stdout.write(`card  ${file}.html\n`);
    cards.push(card);
  }
  if (values.table) process.stdout.write(`\n${cardTable(cards).join('\n')}\n`);
  return 0;
}
