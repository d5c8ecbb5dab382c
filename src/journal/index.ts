/** Recordings and spools on disk: the package entry `entrain/journal`. */
export {
  openRecording,
  type Recording,
  type RecordingOptions,
  type RecordingStatus,
} from './run-recording.ts';
export {
  readRecording,
  streamsOf,
  type ReadOptions,
  type RecordedMessage,
  type SegmentReport,
} from './read-recording.ts';
export { openSpool, type Spool, type SpoolOptions } from './spool.ts';
export { decodeMessage } from '../protocol/stream/codec.ts';
export { createLog, type Logger } from '../process/log.ts';
