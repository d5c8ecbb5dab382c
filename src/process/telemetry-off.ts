/**
 * Importing this module switches off the usage reports of ONNX Runtime. It must be imported before the runtime.
 */
import { switchOffTelemetry } from './telemetry.ts';

switchOffTelemetry();
