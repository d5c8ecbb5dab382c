/**
 * Watches the fleet of a run. If the analyzer has another address, the states go there from now on. An agent with a
 * new service instance has restarted. An agent that does not answer for too long is lost.
 *
 * A look may fail half-way, as when nats-server restarts. So what has to be done follows at each look from what was
 * done with success before, agent by agent, and an agent that cannot be reached keeps nobody else waiting.
 */
import type { Logger } from '../process/log.ts';
import type { NatsLink } from '../transport/nats/connection.ts';
import {
  ABSENT,
  otherVersion,
  type Fleet,
  type FleetAgent,
  type FleetAnalyzer,
  type FleetSource,
  type Strangers,
} from './fleet.ts';

const PERIOD_MS = 2000;

export interface WatchOptions {
  /** The known fleet; changes are written into it. */
  known: Fleet;
  pool: FleetSource;
  /** How long an agent or the analyzer may be away. */
  graceMs: number;
  log: Logger;
  /** Called again at the next look if it fails. */
  onReturned(agent: string, as: FleetAgent): Promise<void>;
  /** Called at every look while agents are away for longer than the grace period. */
  onLost(lost: ReadonlySet<string>, present: ReadonlyMap<string, FleetAgent>): Promise<void>;
  /** Called before agents are told of another analyzer than the lost one; again at the next look if it fails. */
  onAnalyzerLost(next: FleetAnalyzer): Promise<void>;
  /** The agents that are to know where the analyzer is. */
  members(): Iterable<string>;
  /** Tells an agent where the analyzer is now; called again at the next look if it fails. */
  tellAnalyzer(agent: string): Promise<void>;
}

export interface FleetWatch {
  /** Whether an agent has been away for longer than the grace period. */
  isAway(agent: string): boolean;
  stop(): void;
}

interface State {
  /** Instance of each agent that was welcomed with success. */
  welcomed: Map<string, string>;
  /** Agents that do not know yet where the analyzer is. */
  untold: Set<string>;
  awayMs: Map<string, number>;
  /** How long the analyzer has been away. */
  analyzerAwayMs: number;
  /** Agents of another protocol version that were named in the log. */
  named: Set<string>;
  /** Number of failed steps so far. */
  failures: number;
}

export function watchFleet(link: NatsLink, options: WatchOptions): FleetWatch {
  const agents = [...options.known.agents];
  // An agent that was absent at the start was given up by the coordinator's last life.
  const gone = agents.filter(([, { instance }]) => instance === ABSENT);
  const state: State = {
    welcomed: new Map(agents.map(([agent, { instance }]) => [agent, instance])),
    untold: new Set(),
    awayMs: new Map(gone.map(([agent]) => [agent, options.graceMs])),
    analyzerAwayMs: 0,
    named: new Set(),
    failures: 0,
  };
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    await attempt(state, options, () => lookOnce(link, state, options));
    looking = false;
  };
  const timer = setInterval(() => void look(), PERIOD_MS);
  return {
    isAway: (agent) => (state.awayMs.get(agent) ?? 0) >= options.graceMs,
    stop: () => clearInterval(timer),
  };
}

async function lookOnce(link: NatsLink, state: State, options: WatchOptions): Promise<void> {
  // While NATS is away no agent can answer, so none is given up.
  if (!link.up()) {
    state.analyzerAwayMs = 0;
    return state.awayMs.clear();
  }
  const { agents: present, strangers } = await options.pool.agents();
  nameStrangers(strangers, state, options);
  await welcomeReturned(present, state, options);
  await followAnalyzer((await options.pool.analyzers()).analyzers, state, options);
  await tellUntold(present, state, options);
  const lost = countAbsent(present, state.awayMs, options);
  if (lost.size > 0) await options.onLost(lost, present);
}

/** An agent that came back as another release counts as away; the log says so once. */
function nameStrangers(strangers: Strangers, { named }: State, { known, log }: WatchOptions): void {
  for (const agent of strangers.keys()) {
    if (named.has(agent) || !known.agents.has(agent)) continue;
    named.add(agent);
    const { code, message: reason } = otherVersion('agent', agent, strangers);
    log.error({ code, reason }, 'agent cannot take part');
  }
}

/** Logs a failure at its 1st, 10th, 100th, … time: what failed is done at a later look. */
async function attempt(state: State, { log }: WatchOptions, act: () => Promise<void>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    state.failures += 1;
    const times = state.failures;
    if (Number.isInteger(Math.log10(times)))
      log.warn({ err: error, times }, 'looking after the agents failed; trying again');
    return false;
  }
}

async function welcomeReturned(
  present: Map<string, FleetAgent>,
  state: State,
  options: WatchOptions,
): Promise<void> {
  for (const [agent, { instance }] of options.known.agents) {
    const now = present.get(agent);
    // An agent that took a role over since the last look was invited with that.
    if (!state.welcomed.has(agent)) state.welcomed.set(agent, instance);
    if (!now || now.instance === state.welcomed.get(agent)) continue;
    const isWelcome = await attempt(state, options, () => options.onReturned(agent, now));
    if (!isWelcome) continue;
    state.welcomed.set(agent, now.instance);
    options.known.agents.set(agent, now);
  }
}

/**
 * Keeps the analyzer of the run, wherever it is now. Another one takes its place only when it has been away for the
 * grace period: each change splits the recording.
 */
async function followAnalyzer(
  analyzers: readonly FleetAnalyzer[],
  state: State,
  { known, members, graceMs, log, onAnalyzerLost }: WatchOptions,
): Promise<void> {
  const was = known.analyzer;
  const isKnown = ({ streamUrl, fingerprint }: FleetAnalyzer): boolean =>
    streamUrl === was.streamUrl && fingerprint === was.fingerprint;
  const same =
    analyzers.find((one) => one.id === was.id && isKnown(one)) ?? analyzers.find(({ id }) => id === was.id);
  state.analyzerAwayMs = same ? 0 : state.analyzerAwayMs + PERIOD_MS;
  const next = same ?? (state.analyzerAwayMs >= graceMs ? analyzers[0] : undefined);
  if (!next || (same && isKnown(same))) return;
  log.warn({ ...next }, same ? 'analyzer moved' : 'analyzer lost; another one goes on');
  if (!same) await onAnalyzerLost(next);
  known.analyzer = next;
  state.analyzerAwayMs = 0;
  state.untold = new Set(members());
}

/** An agent that is away learns the address when it is invited, or at a later look. */
async function tellUntold(
  present: ReadonlyMap<string, FleetAgent>,
  state: State,
  options: WatchOptions,
): Promise<void> {
  for (const agent of state.untold) {
    if (!present.has(agent)) continue;
    if (await attempt(state, options, () => options.tellAnalyzer(agent))) state.untold.delete(agent);
  }
}

function countAbsent(
  present: Map<string, FleetAgent>,
  awayMs: Map<string, number>,
  { known, graceMs }: WatchOptions,
): Set<string> {
  for (const agent of known.agents.keys())
    awayMs.set(agent, present.has(agent) ? 0 : (awayMs.get(agent) ?? 0) + PERIOD_MS);
  return new Set([...awayMs].filter(([, away]) => away >= graceMs).map(([agent]) => agent));
}
