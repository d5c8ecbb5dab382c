/**
 * The only import of ONNX Runtime. Imports are evaluated in order, so its usage reports are off before it is
 * loaded.
 */
import '../process/telemetry-off.ts';

export { default } from 'onnxruntime-node';
