/** The only import of ONNX Runtime: imports are evaluated in order, so its reports are off before it is loaded. */
import '../process/telemetry-off.ts';

export { default } from 'onnxruntime-node';
