/** All NATS subjects and names of entrain. */
const PREFIX = 'entrain.v2';
const PREFIX_OF_VERSION_1 = 'entrain.v1';

/** Names are part of subjects, file names and metrics, so they use only this alphabet. */
export const NAME_PATTERN = /^[A-Za-z0-9_-]{1,64}$/;

/** Used in place of a run's name in subjects that belong to no run. */
export const RESERVED_RUNS: readonly string[] = ['agent', 'analyzer', 'join', 'service'];

const RUN_AT = PREFIX.split('.').length;

export const COORDINATOR_SERVICE = 'entrain-coordinator';
export const AGENT_SERVICE = 'entrain-agent';
export const ANALYZER_SERVICE = 'entrain-analyzer';

export const subjects = {
  /** Requests of a coordinator of version 1, which are refused by name. */
  version1Agent: (agent: string) => `${PREFIX_OF_VERSION_1}.agent.${agent}.*`,
  version1Analyzer: (analyzer: string) => `${PREFIX_OF_VERSION_1}.analyzer.${analyzer}.*`,
  /** Request: the coordinator invites an agent into a run. */
  assign: (agent: string) => `${PREFIX}.agent.${agent}.assign`,
  promptTokens: (agent: string) => `${PREFIX}.agent.${agent}.prompt-tokens`,
  /** Request: a run is over and recorded; the agent need not keep anything of it. */
  release: (agent: string) => `${PREFIX}.agent.${agent}.release`,
  /** Request: the runs of which an agent is a member. */
  memberships: (agent: string) => `${PREFIX}.agent.${agent}.runs`,
  /** Request: what the analyzer has made durable and scored so far. */
  analyzerState: (analyzer: string) => `${PREFIX}.analyzer.${analyzer}.state`,
  /** Request: the disk space that the analyzer has for a run. */
  analyzerDisk: (analyzer: string) => `${PREFIX}.analyzer.${analyzer}.disk`,
  /** Request: a run is over and recorded. */
  analyzerFinished: (analyzer: string) => `${PREFIX}.analyzer.${analyzer}.finished`,
  /** Event: recordings that the analyzer removed. */
  analyzerEvent: (analyzer: string) => `${PREFIX}.analyzer.${analyzer}.event`,
  /** Request to the resident coordinator. Subject and permissions say who asks: only this user may publish there. */
  service: (caller: { role: string; name: string }, verb: string) =>
    `${PREFIX}.service.${caller.role}.${caller.name}.${verb}`,
  /** Request to the coordinator: address of the analyzer and a new stream token for an agent of the run. */
  renewToken: (run: string, agent: string) => `${PREFIX}.${run}.renew.${agent}`,
  /** Request of a machine that has a token: lets its agents in. Only the user of this token may publish there. */
  join: (token: string) => `${PREFIX}.join.token.${token}`,
  /** Request of an agent that joined: a token of NATS that holds for longer. */
  renewCredentials: (agent: string) => `${PREFIX}.join.renew.${agent}`,
  /** The same of an analyzer; an agent may have its name. */
  renewAnalyzer: (analyzer: string) => `${PREFIX}.join.renew-analyzer.${analyzer}`,
  /** Stored: what one agent may know of an episode. */
  spec: (run: string, episode: string, agent: string) => `${PREFIX}.${run}.spec.${episode}.${agent}`,
  specsOf: (run: string, agent: string) => `${PREFIX}.${run}.spec.*.${agent}`,
  /** Each token as an agent speaks it, for programs that watch the run. */
  token: (run: string, episode: string, agent: string) =>
    `${PREFIX}.${run}.episode.${episode}.token.${agent}`,
  tokens: (run: string) => `${PREFIX}.${run}.episode.*.token.*`,
  /** The same token for one agent that hears the speaker; no other agent may read it. */
  heardToken: (run: string, listener: string, of: { episode: string; agent: string }) =>
    `${PREFIX}.${run}.hear.${listener}.${of.episode}.${of.agent}`,
  heardTokens: (run: string, listener: string) => `${PREFIX}.${run}.hear.${listener}.*.*`,
  spokenTokens: (run: string, agent: string) => `${PREFIX}.${run}.hear.*.*.${agent}`,
  /** Stored: a turn. The subject names the speaker, and only that agent may publish on it. */
  utterance: (run: string, at: { episode: string; turn: number | '*'; agent: string }) =>
    `${PREFIX}.${run}.episode.${at.episode}.utterance.${at.turn}.${at.agent}`,
  utterances: (run: string) => subjects.utterance(run, { episode: '*', turn: '*', agent: '*' }),
  /** Stored: what the speaker of a turn might have said instead; `k` counts from 1. */
  alternative: (run: string, at: { episode: string; turn: number | '*'; k: number | '*'; agent: string }) =>
    `${PREFIX}.${run}.episode.${at.episode}.alternative.${at.turn}.${at.k}.${at.agent}`,
  alternatives: (run: string) => subjects.alternative(run, { episode: '*', turn: '*', k: '*', agent: '*' }),
  /**
   * Stored: what the coordinator decides about an episode, such as which agent has which role. Its agents read
   * it.
   */
  episodeEvent: (run: string, episode: string, name: string) =>
    `${PREFIX}.${run}.episode.${episode}.event.${name}`,
  episodeEvents: (run: string) => `${PREFIX}.${run}.episode.*.event.>`,
  /** Everything that agents read of a run besides their specs: events of episodes, utterances, alternatives. */
  talk: (run: string) => `${PREFIX}.${run}.episode.>`,
  /** All subjects of a run. */
  everything: (run: string) => `${PREFIX}.${run}.>`,
  /** Stored: what the coordinator decides about the run; no agent reads it. */
  event: (run: string, name: string) => `${PREFIX}.${run}.event.${name}`,
  events: (run: string) => `${PREFIX}.${run}.event.>`,
  /** Subjects stored by the run's JetStream stream. */
  stored: (run: string) => [
    subjects.events(run),
    subjects.spec(run, '*', '*'),
    subjects.episodeEvents(run),
    subjects.utterances(run),
    subjects.alternatives(run),
  ],
} as const;

/** The kind of a stored message, by its subject. */
export type StoredKind =
  | { is: 'event' }
  | { is: 'spec' }
  | { is: 'utterance'; episode: string; turn: number; agent: string }
  | { is: 'alternative'; episode: string; turn: number; k: number; agent: string }
  | { is: 'unknown' };

export function storedKind(subject: string): StoredKind {
  const [family, episode = '', kind, ...rest] = subject.split('.').slice(RUN_AT + 1);
  if (family === 'event') return { is: 'event' };
  if (family === 'spec') return { is: 'spec' };
  if (family !== 'episode') return { is: 'unknown' };
  if (kind === 'event') return { is: 'event' };
  const agent = rest.at(-1) ?? '';
  const [turn, k] = rest.slice(0, -1).map(Number);
  if (kind === 'utterance' && turn !== undefined) return { is: 'utterance', episode, turn, agent };
  if (kind === 'alternative' && turn !== undefined && k !== undefined)
    return { is: 'alternative', episode, turn, k, agent };
  return { is: 'unknown' };
}

/** Who asks the service for what, by the subject of the request. */
export function serviceRequest(subject: string): { role: string; name: string; verb: string } {
  const [role = '', name = '', verb = ''] = subject.split('.').slice(RUN_AT + 1);
  return { role, name, verb };
}

/** Speaker and episode of a token, by its subject. */
export function tokenPlace(subject: string): { episode: string; agent: string } {
  const parts = subject.split('.');
  const agent = parts.at(-1) ?? '';
  return { episode: parts.at(parts[RUN_AT + 1] === 'hear' ? -2 : -3) ?? '', agent };
}

/** Names of JetStream entities, which must not contain dots. */
export const names = {
  stream: (run: string) => `entrain-${run}`,
  specConsumer: (agent: string) => `spec-${agent}`,
  talkConsumer: (agent: string) => `hear-${agent}`,
  /** Buckets of the resident coordinator: its lease, and what it knows of runs and agents. */
  leaseBucket: 'entrain-lease',
  rowsBucket: 'entrain-runs',
} as const;
