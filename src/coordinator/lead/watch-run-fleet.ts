/** Follows the agents of a run: those that come back, move to another analyzer, or stay away. */
import type { AgentModel } from '../../protocol/agent-model.ts';
import type { FleetAgent } from '../fleet.ts';
import { assign, inviteAgent, type InviteOptions } from '../invite.ts';
import { chooseReplacements, withoutStandIn } from '../replacement.ts';
import type { RunningStudy } from '../run-study.ts';
import { watchFleet, type FleetWatch } from '../watch-fleet.ts';
import type { LeadParts } from './lead-parts.ts';
import { recordBy, type Recorder } from './record-by.ts';

interface RunParts {
  running: RunningStudy;
  invitation: InviteOptions;
  /** Agents that stay away and that no other can stand in for, as known at the last look. */
  unplayable: Set<string>;
  /** The run folder. */
  kept: string;
}

export function watchRunFleet(parts: LeadParts & { recorder: Recorder }, to: RunParts): FleetWatch {
  const { link, settings, pool, log } = parts;
  const { running, invitation, unplayable, kept } = to;
  const known = invitation.fleet;
  return watchFleet(link, {
    pool,
    known,
    graceMs: settings.graceMs,
    log,
    onReturned: async (agent, now) => {
      if (!invitation.agents.has(agent)) return;
      if (now.model.sha256 !== known.agents.get(agent)?.model.sha256) {
        return running.fail(
          `Agent "${agent}" came back with another model; what was recorded is kept in ${kept}.`,
        );
      }
      log.warn({ agent }, 'agent came back');
      known.agents.set(agent, now);
      unplayable.delete(agent);
      if (await inviteAgent(invitation, agent)) await running.resume(agent);
      running.lookAgain();
    },
    onAnalyzerLost: (next) => recordBy(parts, running, next),
    members: () => invitation.agents,
    tellAnalyzer: (agent) => assign(invitation, agent),
    onLost: (lost, present) => replaceLost(parts, { ...to, lost, present }),
  });
}

/**
 * Gives the roles of agents that stay away to others with the same model. Where there are none, the rest of the run is
 * played, and then it fails.
 */
async function replaceLost(
  parts: LeadParts,
  to: RunParts & { lost: ReadonlySet<string>; present: ReadonlyMap<string, FleetAgent> },
): Promise<void> {
  const { metrics, pool, log } = parts;
  const { running, invitation, unplayable, kept, lost, present } = to;
  const known = invitation.fleet.agents;
  const modelOf = (agent: string): AgentModel | undefined => known.get(agent)?.model;
  const now = { present, lost, modelOf };
  unplayable.clear();
  for (const agent of withoutStandIn(now)) unplayable.add(agent);
  const { takeovers, hopeless } = chooseReplacements(running.state(), now);
  for (const takeover of takeovers) {
    const { agent } = takeover;
    if (!pool.take(agent)) continue;
    log.warn({ ...takeover }, 'episode taken over');
    metrics.takenOver();
    known.set(agent, present.get(agent) as FleetAgent);
    invitation.agents.add(agent);
    await inviteAgent(invitation, agent);
    await running.takeOver(takeover);
  }
  const [agent] = [...hopeless, ...unplayable];
  if (agent === undefined || takeovers.length > 0 || running.canGoOn(lost)) return;
  metrics.agentLost();
  await running.fail(
    `Agent "${agent}" stopped answering, no other agent with its model can take its place, and all else that can be played is played: start one before the run, or give agents longer with --grace-seconds of "entrain start" or "entrain coordinator"; what was recorded is kept in ${kept}.`,
  );
}
