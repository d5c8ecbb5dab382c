/** `entrain token`: lets a machine into the service, once, within 15 minutes; or takes that back. */
import { parseArgs } from 'node:util';
import { tokenAnswerSchema } from '../../protocol/join-messages.ts';
import { parseMessage } from '../../protocol/nats-messages.ts';
import { nameFlag } from '../../process/flags.ts';
import { usageText } from '../../process/usage.ts';
import { SERVICE_FLAGS, withService } from './ask-service.ts';

export const FLAGS = {
  ...SERVICE_FLAGS,
  analyzer: { type: 'boolean', default: false, about: 'for an analyzer in place of agents' },
  revoke: { type: 'string', value: 'ID', about: 'in place of a new one, ends the token of this id' },
} as const;
export { FLAGS as flags };

export const usage = (): string =>
  usageText(
    {
      call: 'entrain token',
      about:
        'Prints a token by which one machine joins ("entrain join TOKEN --model DIR", or --analyzer), once, within 15 minutes. An operator’s.',
    },
    FLAGS,
  );

export async function run(argv: string[]): Promise<number> {
  const { values } = parseArgs({ args: argv, options: FLAGS, strict: true });
  const revoke = values.revoke === undefined ? {} : { revoke: nameFlag('--revoke', values.revoke) };
  const asked = { analyzer: values.analyzer, ...revoke };
  const answer = await withService(values.runs, (service) => service.ask('token', asked));
  const about = { code: 'MESSAGE_INVALID', what: 'The token' } as const;
  const { id, token, untilMs } = parseMessage(tokenAnswerSchema, answer, about);
  if (values.json) console.log(JSON.stringify({ id, untilMs, ...(token === undefined ? {} : { token }) }));
  else if (token === undefined) console.log(`token ${id} lets nobody in any more`);
  else {
    console.log(token);
    console.error(
      `id ${id}, good once, until ${new Date(untilMs).toISOString()}; "entrain token --revoke ${id}" ends it`,
    );
  }
  return 0;
}
