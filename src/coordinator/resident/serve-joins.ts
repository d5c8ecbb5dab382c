/** Answers machines that have a token, and programs that joined and need what they connect with renewed. */
import { EntrainError } from '../../protocol/errors.ts';
import { joinRequestSchema, renewAnalyzerSchema, renewRequestSchema } from '../../protocol/join-messages.ts';
import { parseMessage } from '../../protocol/nats-messages.ts';
import { subjects } from '../../protocol/subjects.ts';
import type { Logger } from '../../process/log.ts';
import type { NatsLink } from '../../transport/nats/connection.ts';
import { subscribe } from '../../transport/nats/subscription.ts';
import type { Admission } from './admission.ts';

export function serveJoins(link: NatsLink, admission: Admission, log: Logger): { stop(): void } {
  const serve = (subject: string, answer: (name: string, text: string) => unknown) =>
    subscribe(link, {
      subject,
      asked: true,
      // The server lets only the user of this token, or this agent, publish on the subject.
      take: (message) =>
        void reply(() => answer(message.subject.split('.').at(-1) ?? '', message.text), {
          subject: message.subject,
          log,
        }).then(message.respond),
      log,
    });
  const asked = [
    serve(subjects.join('*'), (id, text) => {
      const about = { code: 'MESSAGE_INVALID', what: 'The request to join' } as const;
      return admission.join(id, parseMessage(joinRequestSchema, text, about));
    }),
    serve(subjects.renewCredentials('*'), (agent, text) => {
      const about = { code: 'MESSAGE_INVALID', what: 'The request to renew' } as const;
      return admission.renew(agent, parseMessage(renewRequestSchema, text, about));
    }),
    serve(subjects.renewAnalyzer('*'), (analyzer, text) => {
      const about = { code: 'MESSAGE_INVALID', what: 'The request to renew' } as const;
      return admission.renewAnalyzer(analyzer, parseMessage(renewAnalyzerSchema, text, about));
    }),
  ];
  return { stop: () => asked.forEach((one) => one.unsubscribe()) };
}

async function reply(
  answer: () => unknown,
  { subject, log }: { subject: string; log: Logger },
): Promise<string> {
  try {
    return JSON.stringify({ value: await answer() });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const code = error instanceof EntrainError ? error.code : 'MESSAGE_INVALID';
    log.warn({ subject, code, reason: message }, 'request refused');
    return JSON.stringify({ error: { code, message } });
  }
}
