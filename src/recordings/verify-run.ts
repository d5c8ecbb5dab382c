/**
 * Checks whether a recording is sound and complete. Sound: every checksum and seal holds, and every number is
 * there once. Complete: the run has ended with everything that was planned, every turn of its events is in the
 * transcript, and every utterance is recorded up to the frame it names. The check reads only files.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readRecording, type RecordedMessage, type SegmentReport } from '../journal/read-recording.ts';
import { removalOf, type Removal } from '../journal/retention.ts';
import { parseMessage, placeSchema, utteranceSchema } from '../protocol/nats-messages.ts';
import { createRecordedBranches, type RecordedBranches } from './recorded-branches.ts';
import { checkBranches, type BranchReport } from './check-branches.ts';
import { createRecordedControls, type ControlReport, type RecordedControls } from './recorded-controls.ts';
import { checkSpeakers, type Spoken } from './check-speakers.ts';
import { createRecordedEpochs, type RecordedEpoch } from './recorded-epochs.ts';
import { createRecordedWords, type RecordedWords } from './recorded-words.ts';
import { checkAgainstPlan, readEvents, type RunEvents } from './check-against-plan.ts';

/** The fields of an utterance that this check needs; others are ignored. */
const namedSchema = utteranceSchema
  .pick({ episode: true, turn: true, stream: true, epoch: true, lastSeq: true })
  // A transcript of protocol 1 may lack these fields.
  .extend({
    ...utteranceSchema.pick({ agent: true, finish: true, text: true }).partial().shape,
    ...placeSchema.shape,
  });
type Named = ReturnType<typeof namedSchema.parse>;

export interface VerifyReport {
  streams: number;
  segments: number;
  frames: number;
  bytes: number;
  epochs: (RecordedEpoch & { stream: string; epoch: number })[];
  /** Damaged bytes, broken seals, numbers that are missing or repeated; one sentence each. */
  faults: string[];
  /** Segments that are still open: the analyzer runs, or was killed and not started again. */
  open: string[];
  /** Number of frames that the sender declared lost. */
  gapFrames: number;
  /** Undefined if the folder has no transcript. */
  utterances: { total: number; incomplete: string[] } | undefined;
  /** Undefined where the study has no branches. */
  branches: BranchReport | undefined;
  /** Undefined where no turn was to be read behind another history. */
  controls: ControlReport | undefined;
  /** What is missing or superfluous in the folder, compared with its plan and transcript. */
  lacking: string[];
  /** Set if retention removed the recording; then nothing is left to check. */
  removed: Removal | undefined;
  sound: boolean;
  complete: boolean;
}

/** A check fed by a reader of the recording. */
export interface Verification {
  onSegment(segment: SegmentReport): void;
  take(recorded: Pick<RecordedMessage, 'stream' | 'epoch' | 'message'>): void;
  /** The report, after everything was read. */
  report(): Promise<VerifyReport>;
}

export async function verifyRun(folder: string): Promise<VerifyReport> {
  const verification = beginVerification(folder);
  for await (const recorded of readRecording(folder, verification)) verification.take(recorded);
  return verification.report();
}

export function beginVerification(folder: string): Verification {
  const ledger = createRecordedEpochs();
  const branches = createRecordedBranches();
  const controls = createRecordedControls();
  const words = createRecordedWords();
  const faults: string[] = [];
  const open: string[] = [];
  const totals = { segments: 0, bytes: 0, frames: 0 };
  return {
    onSegment: (segment) => {
      totals.segments += 1;
      totals.bytes += segment.bytes;
      faults.push(...segmentFaults(segment));
      if (!segment.scan.seal && segment.last) open.push(segment.file);
    },
    take: ({ stream, epoch, message }) => {
      totals.frames += 1;
      ledger.take({ stream, epoch }, message);
      branches.take(stream, message);
      controls.take({ stream, epoch }, message);
      words.take(message);
    },
    report: () => conclude(folder, { ledger, branches, controls, words, faults, open, totals }),
  };
}

async function conclude(
  folder: string,
  seen: Pick<VerifyReport, 'faults' | 'open'> & {
    ledger: ReturnType<typeof createRecordedEpochs>;
    branches: RecordedBranches;
    controls: RecordedControls;
    words: RecordedWords;
    totals: Pick<VerifyReport, 'segments' | 'bytes' | 'frames'>;
  },
): Promise<VerifyReport> {
  const { ledger, open, totals } = seen;
  const epochs = ledger.epochs();
  const transcript = await readTranscript(folder);
  const events = await readEvents(folder);
  const spokenBy = { events: events.events, spoken: (transcript.all ?? []).filter(isSpoken) };
  const speakerFaults = checkSpeakers(spokenBy.events, spokenBy.spoken);
  const branches = await checkBranches(folder, { ...spokenBy, ledger: seen.branches });
  const controls = seen.controls.report(events.events);
  const faults = [...seen.faults, ...epochs.flatMap(epochFaults), ...speakerFaults];
  const utterances = transcript.all && checkUtterances(transcript.all, events, ledger);
  const spoken = (transcript.all ?? []).map(({ episode, turn }) => `${episode}/${turn}`);
  const lacking = [
    ...transcript.faults,
    ...(await checkAgainstPlan(folder, { spoken, recorded: ledger.turns(), events })),
    ...(branches?.faults ?? []),
    ...(controls?.faults ?? []),
    ...seen.words.faults(transcript.all ?? []),
  ];
  const removed = await removalOf(folder);
  const sound = faults.length === 0 && open.length === 0;
  const complete =
    sound && utterances !== undefined && utterances.incomplete.length === 0 && lacking.length === 0;
  const parts = { faults, open, utterances, branches, controls, lacking, removed, sound, complete };
  return { ...totals, ...countEpochs(epochs), epochs, ...parts };
}

function countEpochs(epochs: VerifyReport['epochs']): Pick<VerifyReport, 'streams' | 'gapFrames'> {
  return {
    streams: new Set(epochs.map(({ stream }) => stream)).size,
    gapFrames: epochs.reduce((sum, { gapFrames }) => sum + gapFrames, 0),
  };
}

function segmentFaults({ file, bytes, scan, last }: SegmentReport): string[] {
  const faults = scan.damages.map(
    ({ from, to }) => `${file}: ${to - from} bytes from ${from} on are damaged`,
  );
  if (scan.end < bytes) faults.push(`${file}: the last ${bytes - scan.end} bytes are no whole record`);
  if (!scan.sealHolds) faults.push(`${file}: its seal names another count or hash`);
  if (!scan.seal && !last) faults.push(`${file}: was never sealed, though others follow it`);
  return faults;
}

function epochFaults({
  stream,
  epoch,
  holes,
  doubled,
}: RecordedEpoch & { stream: string; epoch: number }): string[] {
  const place = `${stream} epoch ${epoch}`;
  const faults = holes.map(({ from, to }) => `${place}: frames ${from}…${to} are missing`);
  return doubled > 0 ? [...faults, `${place}: ${doubled} frames are there more than once`] : faults;
}

const isSpoken = (line: Named): line is Named & Spoken =>
  line.agent !== undefined && line.finish !== undefined;

function checkUtterances(
  all: readonly Named[],
  { events }: RunEvents,
  ledger: ReturnType<typeof createRecordedEpochs>,
): { total: number; incomplete: string[] } {
  const speakers = speakersOf(events);
  const incomplete = all.flatMap((utterance) => {
    const { episode, turn, stream, epoch, lastSeq } = utterance;
    const why = ledger.missing(utterance);
    if (why !== undefined)
      return [`turn ${turn} of ${episode} (${stream} epoch ${epoch} up to ${lastSeq}): ${why}`];
    const owed = isReadAlong(turn, speakers.get(episode)) && !ledger.wasRead(episode, turn);
    return owed ? [`turn ${turn} of ${episode}: the frame of its reader is not there`] : [];
  });
  return { total: all.length, incomplete };
}

/** Whether a reader owes a frame for this turn: it reads in the place of the last speaker. */
function isReadAlong(turn: number, speakers: number | undefined): boolean {
  return speakers !== undefined && turn % speakers === speakers - 1;
}

/** Number of speakers of each episode with a reader. */
function speakersOf(events: RunEvents['events']): Map<string, number> {
  return new Map(
    events.flatMap((event) =>
      event.type === 'episode-started' && event.condition === 'reader'
        ? [[event.episode, event.order.length]]
        : [],
    ),
  );
}

interface Transcript {
  /** Undefined if there is no transcript. */
  all: Named[] | undefined;
  faults: string[];
}

async function readTranscript(folder: string): Promise<Transcript> {
  const text = await readFile(join(folder, 'transcript.jsonl'), 'utf8').catch(() => undefined);
  if (text === undefined) return { all: undefined, faults: [] };
  const all: Named[] = [];
  const faults: string[] = [];
  for (const [at, line] of text.split('\n').entries()) {
    if (line === '') continue;
    try {
      all.push(parseMessage(namedSchema, line, { code: 'RUN_INVALID', what: 'An utterance' }));
    } catch {
      faults.push(`transcript.jsonl: line ${at + 1} is no utterance`);
    }
  }
  return { all, faults };
}
