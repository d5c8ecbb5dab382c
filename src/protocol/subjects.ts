/** Every NATS subject and name that entrain uses, built in one place. */
const PREFIX = 'entrain.v1';

/** Names stand in subjects, file names and metrics, so they are kept to this alphabet. */
export const NAME_PATTERN = /^[A-Za-z0-9_-]{1,64}$/;

/** What stands in the place of a run's name in subjects that belong to no run. */
export const RESERVED_RUNS: readonly string[] = ['agent', 'analyzer'];

export const COORDINATOR_SERVICE = 'entrain-coordinator';
export const AGENT_SERVICE = 'entrain-agent';
export const ANALYZER_SERVICE = 'entrain-analyzer';

export const subjects = {
  /** Request: the coordinator invites an agent into a run. */
  assign: (agent: string) => `${PREFIX}.agent.${agent}.assign`,
  promptTokens: (agent: string) => `${PREFIX}.agent.${agent}.prompt-tokens`,
  /** Request: a run is over and recorded, the agent need not keep anything of it. */
  release: (agent: string) => `${PREFIX}.agent.${agent}.release`,
  /** Request: the runs an agent takes part in. */
  memberships: (agent: string) => `${PREFIX}.agent.${agent}.runs`,
  /** Request: what the analyzer has made durable and scored so far. */
  analyzerState: (analyzer: string) => `${PREFIX}.analyzer.${analyzer}.state`,
  /** Request: the room that the analyzer has for a run. */
  analyzerDisk: (analyzer: string) => `${PREFIX}.analyzer.${analyzer}.disk`,
  /** Request: a run is over and recorded. */
  analyzerFinished: (analyzer: string) => `${PREFIX}.analyzer.${analyzer}.finished`,
  /** What the analyzer did by itself: recordings that were removed. */
  analyzerEvent: (analyzer: string) => `${PREFIX}.analyzer.${analyzer}.event`,
  /** Request to the coordinator: the address of the analyzer and a fresh stream token for an agent of the run. */
  renewToken: (run: string, agent: string) => `${PREFIX}.${run}.renew.${agent}`,
  spec: (run: string, episode: string, agent: string) => `${PREFIX}.${run}.episode.${episode}.spec.${agent}`,
  specsOf: (run: string, agent: string) => `${PREFIX}.${run}.episode.*.spec.${agent}`,
  token: (run: string, episode: string) => `${PREFIX}.${run}.episode.${episode}.token`,
  tokens: (run: string) => `${PREFIX}.${run}.episode.*.token`,
  utterance: (run: string, episode: string, turn: number) =>
    `${PREFIX}.${run}.episode.${episode}.utterance.${turn}`,
  utterancesOf: (run: string, episode: string) => `${PREFIX}.${run}.episode.${episode}.utterance.*`,
  utterances: (run: string) => `${PREFIX}.${run}.episode.*.utterance.*`,
  /** Everything of a run. */
  everything: (run: string) => `${PREFIX}.${run}.>`,
  event: (run: string, name: string) => `${PREFIX}.${run}.event.${name}`,
  events: (run: string) => `${PREFIX}.${run}.event.>`,
  /** What the run's JetStream stream stores. */
  stored: (run: string) => [
    subjects.events(run),
    `${PREFIX}.${run}.episode.*.spec.*`,
    subjects.utterances(run),
  ],
} as const;

/** Names of JetStream entities; they may hold no dots. */
export const names = {
  stream: (run: string) => `entrain-${run}`,
  specConsumer: (agent: string) => `spec-${agent}`,
  utteranceConsumer: (agent: string) => `hear-${agent}`,
  /** Message id of an utterance: a turn is spoken once, whoever says it. */
  utteranceId: (run: string, episode: string, turn: number) => `${run}.${episode}.${turn}`,
} as const;
