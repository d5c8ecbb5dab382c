/**
 * NATS permissions of each user, run by run: its own subjects in its runs, and nothing of any other run,
 * neither by subject nor by the JetStream API nor by a consumer. nats-server enforces them.
 */
import {
  AGENT_SERVICE,
  ANALYZER_SERVICE,
  COORDINATOR_SERVICE,
  NAME_PATTERN,
  names,
  subjects,
} from '../../protocol/subjects.ts';
import type { Permissions } from './access/jwt.ts';
import { answersTo, inboxPrefix } from './inbox.ts';

/** Requests that an analyzer answers. */
const QUESTIONS = [subjects.analyzerState, subjects.analyzerDisk, subjects.analyzerFinished];

/**
 * The JetStream API of the programs' account, as agents know it. `$JS.API` is in every account that account's own, and
 * answers in the account of agents that there is no JetStream.
 */
export const API_OF_PROGRAMS = 'entrain.api';

/** In place of the names of runs: a user of the service, which may take part in any run that it is invited into. */
export const ANY_RUN = '*';

/**
 * Permissions of a user. Users are named `coordinator`, `analyzer`, `analyzer-ID` for one that joined, `supervisor`,
 * `viewer`, `agent-ID`, `submitter-NAME`, `operator`, or `join-ID` for a machine that has nothing but a token.
 */
export function permissionsOf(user: string, runs: readonly string[]): Permissions {
  for (const run of runs)
    if (run !== ANY_RUN && !NAME_PATTERN.test(run)) throw new Error(`not a name of a run: ${run}`);
  const inbox = `${inboxPrefix(user)}.>`;
  const [kind, name = kind] = [user.split('-', 1)[0] ?? '', user.split('-').slice(1).join('-') || undefined];
  if (kind === 'submitter' || kind === 'operator')
    return { publish: [subjects.service({ role: kind, name }, '*')], subscribe: [inbox] };
  if (kind === 'join') return { publish: [subjects.join(name)], subscribe: [inbox] };
  if (kind === 'analyzer' && user !== kind) return joinedAnalyzer(name, inbox);
  switch (user) {
    case 'coordinator':
      return coordinator(runs, inbox);
    case 'analyzer':
      return analyzer(inbox);
    case 'supervisor':
      return {
        publish: ['$SRV.>', subjects.analyzerDisk('*')],
        subscribe: [
          inbox,
          subjects.analyzerEvent('*'),
          ...runs.flatMap((run) => [
            subjects.events(run),
            subjects.episodeEvents(run),
            subjects.tokens(run),
            subjects.utterances(run),
          ]),
        ],
      };
    case 'viewer':
      // It only listens; whole utterances come from run folders.
      return { publish: [], subscribe: [inbox, ...runs.map((run) => subjects.tokens(run))] };
    default:
      return agent(user.replace(/^agent-/, ''), { runs, inbox });
  }
}

const analyzer = (inbox: string): Permissions => ({
  answers: true,
  publish: ['$SRV.>', subjects.analyzerEvent('*')],
  subscribe: [
    inbox,
    ...announcing(ANALYZER_SERVICE),
    ...QUESTIONS.map((subject) => subject('*')),
    subjects.version1Analyzer('*'),
  ],
});

/** One analyzer among several: what is asked of another one it neither hears nor answers. */
const joinedAnalyzer = (id: string, inbox: string): Permissions => ({
  answers: true,
  publish: ['$SRV.>', subjects.analyzerEvent(id), subjects.renewAnalyzer(id)],
  subscribe: [
    inbox,
    ...announcing(ANALYZER_SERVICE),
    ...QUESTIONS.map((subject) => subject(id)),
    subjects.version1Analyzer(id),
  ],
});

/** Subjects that a program must receive to announce itself under one service name, and no other. */
export const announcing = (service: string): string[] =>
  ['PING', 'INFO', 'STATS'].flatMap((verb) => [
    `$SRV.${verb}`,
    `$SRV.${verb}.${service}`,
    `$SRV.${verb}.${service}.*`,
  ]);

function coordinator(runs: readonly string[], inbox: string): Permissions {
  const fleet = [
    subjects.assign('*'),
    subjects.release('*'),
    subjects.memberships('*'),
    subjects.promptTokens('*'),
  ];
  const questions = QUESTIONS.map((subject) => subject('*'));
  // A coordinator of version 1 is to read why its requests are refused.
  const older = [subjects.version1Agent('*'), subjects.version1Analyzer('*')];
  const isResident = runs.includes(ANY_RUN);
  return {
    answers: true,
    publish: [
      '$SRV.>',
      '$JS.API.INFO',
      ...fleet,
      ...questions,
      ...older,
      ...runs.flatMap(ownRun),
      // Streams and rows of runs that finished long ago are removed.
      ...(isResident ? ['$JS.API.STREAM.DELETE.*', `$JS.API.STREAM.PURGE.KV_${names.rowsBucket}`] : []),
      ...(isResident ? [names.leaseBucket, names.rowsBucket].flatMap(ownBucket) : []),
    ],
    subscribe: [
      inbox,
      ...announcing(COORDINATOR_SERVICE),
      ...(isResident
        ? [subjects.service({ role: '*', name: '*' }, '*'), subjects.join('*'), subjects.renewAnalyzer('*')]
        : []),
      ...runs.map((run) => subjects.renewToken(run, '*')),
    ],
  };
}

/** A wildcard stands for a whole token of a subject. */
const streamOf = (run: string): string => (run === ANY_RUN ? ANY_RUN : names.stream(run));

const ownBucket = (bucket: string): string[] => [
  `$KV.${bucket}.>`,
  ...['CREATE', 'INFO', 'MSG.GET'].map((verb) => `$JS.API.STREAM.${verb}.KV_${bucket}`),
  `$JS.API.DIRECT.GET.KV_${bucket}.>`,
];

/**
 * A run's subjects, its stream and the consumers of that stream. Each pattern has the stream's name where the
 * API puts it. Acknowledgements are answers, for who has the right to answer: with a right of their own, nats-server up
 * to 2.10 keeps an unused right for each delivered message and looks through all of them at each message.
 */
function ownRun(run: string): string[] {
  const stream = streamOf(run);
  const ofConsumers = ['CREATE', 'DELETE', 'DURABLE.CREATE', 'INFO', 'MSG.NEXT'];
  return [
    subjects.everything(run),
    ...['CREATE', 'INFO', 'MSG.GET'].map((verb) => `$JS.API.STREAM.${verb}.${stream}`),
    ...['CREATE', 'LIST'].map((verb) => `$JS.API.CONSUMER.${verb}.${stream}`),
    ...ofConsumers.map((verb) => `$JS.API.CONSUMER.${verb}.${stream}.>`),
  ];
}

function agent(id: string, { runs, inbox }: { runs: readonly string[]; inbox: string }): Permissions {
  if (!NAME_PATTERN.test(id)) throw new Error(`not an agent name: ${id}`);
  const consumers = [names.specConsumer(id), names.talkConsumer(id)];
  return {
    publish: [
      ...answersTo(id),
      ...runs.flatMap((run) => [
        subjects.token(run, '*', id),
        subjects.spokenTokens(run, id),
        subjects.utterance(run, { episode: '*', turn: '*', agent: id }),
        subjects.alternative(run, { episode: '*', turn: '*', k: '*', agent: id }),
        subjects.renewToken(run, id),
        ...consumers.flatMap((consumer) => consumerOf(streamOf(run), consumer)),
      ]),
    ],
    subscribe: [
      inbox,
      ...announcing(AGENT_SERVICE),
      subjects.assign(id),
      subjects.release(id),
      subjects.promptTokens(id),
      subjects.memberships(id),
      subjects.version1Agent(id),
      ...runs.map((run) => subjects.heardTokens(run, id)),
    ],
  };
}

/** On a server where all programs are of one account, the API has its usual name. */
const consumerOf = (stream: string, consumer: string): string[] => [
  ...['$JS.API', API_OF_PROGRAMS].flatMap((api) => [
    `${api}.CONSUMER.INFO.${stream}.${consumer}`,
    `${api}.CONSUMER.MSG.NEXT.${stream}.${consumer}`,
  ]),
  `$JS.ACK.${stream}.${consumer}.>`,
];
