/**
 * The package entry `entrain`. Importing it switches off the usage reports of ONNX Runtime for the whole
 * process.
 */
import './process/telemetry-off.ts';

export { EntrainError, ERROR_CODES, type ErrorCode } from './protocol/errors.ts';
export {
  receiveFrames,
  type FrameOrigin,
  type Receiver,
  type ReceiverOptions,
} from './library/receive-frames.ts';
export {
  createKeys as createTokenKeys,
  mintToken,
  type TokenClaims,
  type TokenKeys,
} from './transport/stream/auth/access-token.ts';
export { createOrtAlgebra, type OrtAlgebra, type OrtAlgebraOptions } from './numeric/ort/ort-algebra.ts';
export { programVersion } from './process/version.ts';
