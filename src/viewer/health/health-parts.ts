/**
 * Whether the programs of a run are well, from what they show on /metrics: agents, their connections to the recording,
 * what waits for it, disk and the lag of scores. The limits are those of deploy/alerts.yml. It knows nothing of where
 * the figures come from.
 */
import { percent } from '../../protocol/verdict.ts';
import type { HealthPart } from '../view-data.ts';

/** What one program answered; undefined figures: it did not answer. */
export interface ProgramFigures {
  program: string;
  /** Host and port. */
  place: string;
  figures: readonly Sample[] | undefined;
}

/** One line of /metrics. */
export interface Sample {
  name: string;
  labels: string;
  value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(\{.*\})? (\S+)$/;

/** The samples of one answer in the text format of Prometheus. */
export const samplesIn = (text: string): Sample[] =>
  text.split('\n').flatMap((line) => {
    const [, name, labels = '', value] = LINE.exec(line) ?? [];
    return name === undefined ? [] : [{ name, labels, value: Number(value) }];
  });

const SPOOL_SHARE = 0.8;
const DISK_SHARE = 0.05;
const SCORE_LAG_S = 300;
const TURN_LAG_S = 120;
const GIB = 2 ** 30;

/** @param nowMs milliseconds since 1970; empty where no program of the run is known */
export function healthParts(programs: readonly ProgramFigures[], nowMs: number): HealthPart[] {
  if (programs.length === 0) return [];
  const of = (program: string): ProgramFigures[] => programs.filter((one) => one.program === program);
  return [
    agentsPart(of('agent')),
    { ...recordingPart(of('agent')), term: 'activation-stream' },
    { ...bufferPart(of('agent')), term: 'spool' },
    diskPart(of('analyzer')),
    scoresPart(of('analyzer'), nowMs),
    talkPart(of('coordinator'), nowMs),
  ];
}

const valuesOf = (programs: readonly ProgramFigures[], name: string): number[] =>
  programs.flatMap(({ figures }) =>
    (figures ?? []).filter((sample) => sample.name === name).map(({ value }) => value),
  );

const well = (name: string, text: string): HealthPart => ({ name, state: 'well', text });
const wait = (name: string, text: string): HealthPart => ({ name, state: 'wait', text });
const fault = (name: string, text: string, remedy: string): HealthPart => ({
  name,
  state: 'fault',
  text,
  remedy,
});

function agentsPart(agents: readonly ProgramFigures[]): HealthPart {
  const lost = agents.filter(({ figures }) => figures === undefined);
  const text = `${agents.length - lost.length} of ${agents.length}`;
  const where = lost.map(({ place }) => place).join(', ');
  return lost.length === 0
    ? well('agents', text)
    : fault('agents', text, `no answer from ${where}: see its log in the run folder’s logs`);
}

function recordingPart(agents: readonly ProgramFigures[]): HealthPart {
  const up = valuesOf(agents, 'entrain_agent_stream_up');
  const open = up.filter((value) => value > 0).length;
  const text = `${open} of ${up.length} connected`;
  if (up.length === 0) return wait('recording', 'not yet');
  return open === up.length
    ? well('recording', text)
    : fault(
        'recording',
        text,
        'see whether the analyzer can be reached; until then states wait on the agent’s disk',
      );
}

function bufferPart(agents: readonly ProgramFigures[]): HealthPart {
  const share = Math.max(0, ...valuesOf(agents, 'entrain_agent_spool_ratio'));
  const text = `${percent(share)} full`;
  return share <= SPOOL_SHARE
    ? well('buffer', text)
    : fault('buffer', text, 'the agent waits between turns: see whether the analyzer keeps up');
}

function diskPart(analyzers: readonly ProgramFigures[]): HealthPart {
  const [free] = valuesOf(analyzers, 'entrain_disk_free_bytes');
  const [size] = valuesOf(analyzers, 'entrain_disk_size_bytes');
  if (free === undefined || size === undefined) return analyzerLost(analyzers, 'disk');
  const text = `${(free / GIB).toFixed(free < 10 * GIB ? 1 : 0)} GiB free`;
  return free >= DISK_SHARE * size
    ? well('disk', text)
    : fault('disk', text, 'make room: a full disk stops the recording, and with it the talk');
}

function scoresPart(analyzers: readonly ProgramFigures[], nowMs: number): HealthPart {
  const faults = Math.max(0, ...valuesOf(analyzers, 'entrain_score_faults_total'));
  if (faults > 0)
    return fault('scores', `${faults} failed`, 'the log of the analyzer has the stack; all is recorded');
  const updated = valuesOf(analyzers, 'entrain_synchrony_updated_timestamp_seconds');
  if (updated.length === 0) {
    return analyzers.some(({ figures }) => figures)
      ? wait('scores', 'none yet')
      : analyzerLost(analyzers, 'scores');
  }
  const lag = Math.max(0, nowMs / 1000 - Math.max(...updated));
  const text = `${spanText(lag)} old`;
  return lag <= SCORE_LAG_S
    ? well('scores', text)
    : fault('scores', text, 'scoring lags behind the talk; everything is recorded and will be scored');
}

const analyzerLost = (analyzers: readonly ProgramFigures[], name: string): HealthPart =>
  analyzers.length === 0
    ? wait(name, 'not known')
    : fault(name, 'not known', 'the analyzer does not answer: see logs/analyzer.log in the run folder');

function talkPart(coordinators: readonly ProgramFigures[], nowMs: number): HealthPart {
  const [last] = valuesOf(coordinators, 'entrain_run_last_turn_timestamp_seconds');
  if (last === undefined) return wait('talk', 'nothing said yet');
  const lag = Math.max(0, nowMs / 1000 - last);
  const text = lag < 2 ? 'now' : `${spanText(lag)} ago`;
  return lag <= TURN_LAG_S
    ? well('last turn', text)
    : fault('last turn', text, 'the coordinator’s log names the episode and with whom it waits');
}

const spanText = (seconds: number): string =>
  seconds < 100 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
