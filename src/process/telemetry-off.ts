/** Importing this module switches the reports of ONNX Runtime off; it stands before every import of the runtime. */
import { switchOffTelemetry } from './telemetry.ts';

switchOffTelemetry();
