/**
 * Is a recording sound and complete? Sound: every checksum and seal holds, every number is there once. Complete: the
 * run has ended with all that
 * was planned, every turn of its events stands in the transcript, and every utterance is recorded up to the frame it
 * names. It reads the
 * files alone and trusts nothing else.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readRecording, type RecordedMessage, type SegmentReport } from '../journal/read-recording.ts';
import { removalOf, type Removal } from '../journal/retention.ts';
import { parseMessage, placeSchema, utteranceSchema } from '../protocol/control.ts';
import { checkSpeakers, type Spoken } from './check-speakers.ts';
import { createLedger, type EpochLedger } from './epoch-ledger.ts';
import { holdAgainstPlan, readEvents, type RunEvents } from './hold-against-plan.ts';

/** What this check needs of an utterance; whatever else a transcript holds is not its business. */
const namedSchema = utteranceSchema
  .pick({ episode: true, turn: true, stream: true, epoch: true, lastSeq: true })
  // Of runs of protocol 1 a transcript may hold less.
  .extend({ ...utteranceSchema.pick({ agent: true, finish: true }).partial().shape, ...placeSchema.shape });
type Named = ReturnType<typeof namedSchema.parse>;

export interface VerifyReport {
  streams: number;
  segments: number;
  frames: number;
  bytes: number;
  epochs: (EpochLedger & { stream: string; epoch: number })[];
  /** Damaged bytes, broken seals, numbers that are missing or there twice. */
  faults: string[];
  /** Segments that are still open: the analyzer runs, or was killed and not started again. */
  open: string[];
  /** Frames that the sender declared lost. */
  gapFrames: number;
  /** Undefined when the folder holds no transcript. */
  utterances: { total: number; incomplete: string[] } | undefined;
  /** What the folder lacks of what was planned and said, or has too much of. */
  lacking: string[];
  /** Set when retention took the recording: then there is nothing left to check. */
  removed: Removal | undefined;
  sound: boolean;
  complete: boolean;
}

/** A check that looks on while somebody reads the recording. */
export interface Verification {
  onSegment(segment: SegmentReport): void;
  take(recorded: Pick<RecordedMessage, 'stream' | 'epoch' | 'message'>): void;
  /** Once all was read. */
  report(): Promise<VerifyReport>;
}

export async function verifyRun(folder: string): Promise<VerifyReport> {
  const verification = beginVerification(folder);
  for await (const recorded of readRecording(folder, verification)) verification.take(recorded);
  return verification.report();
}

export function beginVerification(folder: string): Verification {
  const ledger = createLedger();
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
    },
    report: () => conclude(folder, { ledger, faults, open, totals }),
  };
}

async function conclude(
  folder: string,
  seen: Pick<VerifyReport, 'faults' | 'open'> & {
    ledger: ReturnType<typeof createLedger>;
    totals: Pick<VerifyReport, 'segments' | 'bytes' | 'frames'>;
  },
): Promise<VerifyReport> {
  const { ledger, open, totals } = seen;
  const epochs = ledger.epochs();
  const transcript = await readTranscript(folder);
  const events = await readEvents(folder);
  const speakerFaults = checkSpeakers(events.events, (transcript.all ?? []).filter(isSpoken));
  const faults = [...seen.faults, ...epochs.flatMap(epochFaults), ...speakerFaults];
  const utterances = transcript.all && checkUtterances(transcript.all, events, ledger);
  const spoken = (transcript.all ?? []).map(({ episode, turn }) => `${episode}/${turn}`);
  const lacking = [
    ...transcript.faults,
    ...(await holdAgainstPlan(folder, { spoken, recorded: ledger.turns(), events })),
  ];
  const gapFrames = epochs.reduce((sum, { gapFrames: gaps }) => sum + gaps, 0);
  const streams = new Set(epochs.map(({ stream }) => stream)).size;
  const removed = await removalOf(folder);
  const sound = faults.length === 0 && open.length === 0;
  const complete =
    sound && utterances !== undefined && utterances.incomplete.length === 0 && lacking.length === 0;
  return {
    ...totals,
    streams,
    epochs,
    faults,
    open,
    gapFrames,
    utterances,
    lacking,
    removed,
    sound,
    complete,
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
}: EpochLedger & { stream: string; epoch: number }): string[] {
  const place = `${stream} epoch ${epoch}`;
  const faults = holes.map(({ from, to }) => `${place}: frames ${from}…${to} are missing`);
  return doubled > 0 ? [...faults, `${place}: ${doubled} frames are there more than once`] : faults;
}

const isSpoken = (line: Named): line is Named & Spoken =>
  line.agent !== undefined && line.finish !== undefined;

function checkUtterances(
  all: readonly Named[],
  { events }: RunEvents,
  ledger: ReturnType<typeof createLedger>,
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

/** A reader reads in the place of the last speaker, so it owes a frame of each of that one's turns. */
function isReadAlong(turn: number, speakers: number | undefined): boolean {
  return speakers !== undefined && turn % speakers === speakers - 1;
}

/** Episodes with a reader: how many speak in each. */
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
  /** Undefined where there is none. */
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
