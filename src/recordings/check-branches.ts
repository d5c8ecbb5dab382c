/**
 * Does a run hold the branches that its plan asks for? Which turns branch follows from the events alone. At each of
 * them `branches.jsonl` must have every alternative once, before the utterance and from its speaker, or one line that
 * says that there are none; and the recording must have the states of the speaker and of every listener.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { countVersions, isBranched } from '../protocol/branches.ts';
import {
  alternativeSchema,
  parseMessage,
  placeSchema,
  type Alternative,
  type RunEvent,
} from '../protocol/nats-messages.ts';
import { rolesGone } from '../protocol/early-end.ts';
import {
  alternativeFault,
  alternativesOf,
  floorsAfter,
  floorsBeside,
  floorsWith,
  NO_FLOORS,
  type Floor,
  type Floors,
} from '../protocol/turn-order.ts';
import type { RecordedBranches } from './recorded-branches.ts';
import type { Placed, Spoken } from './check-speakers.ts';

export interface BranchReport {
  /** Turns that branched, and alternatives said at them. */
  turns: number;
  alternatives: number;
  /** Turns that should have branched, where the speaker's context was nearly full. */
  skipped: number;
  /** Versions with a moved state, and turns without any because too few states were kept. */
  patched: number;
  unpatched: number;
  faults: string[];
}

export interface BranchCheck {
  events: readonly Placed<RunEvent>[];
  spoken: readonly (Placed<Spoken> & { text?: string | undefined })[];
  ledger: RecordedBranches;
}

type Line = Placed<RunEvent> | BranchCheck['spoken'][number] | Placed<Alternative>;

/** @returns undefined if no episode was to branch and nothing of a branch is there */
export async function checkBranches(folder: string, check: BranchCheck): Promise<BranchReport | undefined> {
  const { alternatives, faults } = await readAlternatives(folder);
  const planned = check.events.some((event) => event.type === 'episode-started' && event.branches);
  const recorded = [...check.ledger.turns()];
  if (!planned && alternatives.length === 0 && recorded.length === 0 && faults.length === 0) return undefined;
  const report: BranchReport = { turns: 0, alternatives: 0, skipped: 0, patched: 0, unpatched: 0, faults };
  const lines: Line[] = [...check.events, ...alternatives, ...check.spoken];
  const holders = agentsByRole(check.events);
  const branched = new Set<string>();
  let floors = NO_FLOORS;
  for (const line of lines.toSorted((a, b) => (a.seq ?? 0) - (b.seq ?? 0))) {
    if ('type' in line) floors = floorsAfter(floors, line);
    else if ('k' in line) floors = takeAlternative(floors, line, report);
    else {
      const floor = floors.get(line.episode);
      if (floor && line.finish !== 'absent' && isBranched(floor, line.turn)) {
        branched.add(`${line.episode}/${line.turn}`);
        checkTurn({ floor, line, holders: holders.get(line.episode) ?? [], ledger: check.ledger }, report);
      }
      floors = floorsWith(floors, line);
    }
  }
  for (const turn of recorded)
    if (!branched.has(turn))
      report.faults.push(`${placeText(turn)} has states of branches, and is no spoken turn that branches`);
  return report;
}

function takeAlternative(floors: Floors, alternative: Placed<Alternative>, { faults }: BranchReport): Floors {
  const { episode, turn, k } = alternative;
  const why = alternativeFault(floors.get(episode), alternative);
  if (why === undefined) return floorsBeside(floors, alternative);
  faults.push(`branches.jsonl: alternative ${k} of turn ${turn} of ${episode}: ${why}`);
  return floors;
}

interface BranchedTurn {
  floor: Floor;
  line: BranchCheck['spoken'][number];
  /** By role, the reader last: every agent that had it. */
  holders: readonly ReadonlySet<string>[];
  ledger: RecordedBranches;
}

function checkTurn(at: BranchedTurn, report: BranchReport): void {
  const { floor, line } = at;
  const said = alternativesOf(floor, line.agent);
  const fault = (what: string): void =>
    void report.faults.push(`turn ${line.turn} of ${line.episode}: ${what}`);
  const [first] = said;
  if (said.length === 1 && first?.k === 1 && first.finish === 'skipped') {
    report.skipped += 1;
    return;
  }
  const { alternatives = 0 } = floor.branches ?? {};
  // No state could be moved where too few were kept: the versions end with the other words, or with fewer donors.
  const last = said.at(-1);
  const ends = last?.finish === 'skipped' && mayEnd(floor, last.k - 1);
  const wanted = ends ? last.k - 1 : countVersions(floor.branches);
  const versions = said.filter(({ finish }) => finish !== 'skipped');
  if (versions.length !== wanted)
    return fault(`${versions.length} of its ${wanted} alternatives are in branches.jsonl`);
  report.turns += 1;
  report.alternatives += alternatives;
  report.patched += wanted - alternatives;
  report.unpatched += ends ? 1 : 0;
  for (const what of [...speakerFaults(at, versions), ...listenerFaults(at, wanted)]) fault(what);
}

/**
 * Whether a turn may have so many versions: of an interchange each donor that has the turn gives one for each layer.
 */
function mayEnd({ branches }: Floor, versions: number): boolean {
  if (!branches) return false;
  const moved = versions - branches.alternatives;
  if (branches.patch?.kind !== 'interchange') return moved === 0;
  return moved >= 0 && moved % branches.patch.layers.length === 0;
}

const SPEAKER_STATES = ['end', 'mean', 'bystander'];

/** What the speaker sends of a version; the first has the features of the words. */
function statesOf({ branches }: Floor, k: number): readonly string[] {
  const exchanges = branches?.patch?.kind === 'interchange';
  if (k > (branches?.alternatives ?? 0)) return exchanges ? ['delta'] : ['coefficients', 'delta'];
  return exchanges && k === 0 ? [...SPEAKER_STATES, 'before'] : SPEAKER_STATES;
}

function speakerFaults({ floor, line, ledger }: BranchedTurn, said: readonly Alternative[]): string[] {
  const { episode, turn, agent, text } = line;
  const versions = [{ k: 0, text }, ...said];
  return versions.flatMap(({ k, text: words }) => {
    const states = statesOf(floor, k);
    const [state = ''] = states;
    return [
      ...states
        .filter((name) => !ledger.has(agent, { episode, turn, state: name, k }))
        .map((name) => `the state ${name} of version ${k} is not recorded`),
      ...(words === undefined || ledger.isOf(words, agent, { episode, turn, state, k })
        ? []
        : [`the states of version ${k} are of other words`]),
    ];
  });
}

/** A listener whose prompt would pass the limit says so in the place of its states. */
function listenerFaults({ floor, line, holders, ledger }: BranchedTurn, alternatives: number): string[] {
  const { episode, turn } = line;
  const { speakers, said, agents } = floor;
  const gone = rolesGone(said, speakers);
  return agents.flatMap((agent, place) => {
    // A reader reads in the place of the last speaker.
    const role = Math.min(place, speakers - 1);
    if (role === turn % speakers || gone.has(role)) return [];
    const streams = [...(holders[place] ?? [agent])];
    const has = (state: string, k: number): boolean =>
      streams.some((stream) => ledger.has(stream, { episode, turn, state, k }));
    if (has('skipped', 0)) return [];
    const missing = Array.from({ length: alternatives + 1 }, (_, k) => k).filter((k) => !has('reply', k));
    return missing.length === 0
      ? []
      : [
          `the reply states of ${agent} to ${missing.length} of its ${alternatives + 1} versions are not recorded`,
        ];
  });
}

function agentsByRole(events: readonly RunEvent[]): Map<string, Set<string>[]> {
  const holders = new Map<string, Set<string>[]>();
  for (const event of events) {
    if (event.type === 'episode-started') {
      const agents = event.reader === undefined ? event.order : [...event.order, event.reader];
      holders.set(
        event.episode,
        agents.map((agent) => new Set([agent])),
      );
    }
    if (event.type === 'episode-taken-over') holders.get(event.episode)?.[event.role]?.add(event.agent);
  }
  return holders;
}

function placeText(turn: string): string {
  const at = turn.lastIndexOf('/');
  return `turn ${turn.slice(at + 1)} of ${turn.slice(0, at)}`;
}

async function readAlternatives(
  folder: string,
): Promise<{ alternatives: Placed<Alternative>[]; faults: string[] }> {
  const text = await readFile(join(folder, 'branches.jsonl'), 'utf8').catch(() => '');
  const alternatives: Placed<Alternative>[] = [];
  const faults: string[] = [];
  for (const [at, line] of text.split('\n').entries()) {
    if (line === '') continue;
    try {
      const about = { code: 'RUN_INVALID', what: 'An alternative' } as const;
      alternatives.push({
        ...parseMessage(alternativeSchema, line, about),
        ...parseMessage(placeSchema, line, about),
      });
    } catch {
      faults.push(`branches.jsonl: line ${at + 1} is no alternative`);
    }
  }
  return { alternatives, faults };
}
