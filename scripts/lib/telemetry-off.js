// ONNX Runtime sends reports about the machine and its models to its maker, unless this stands in the environment of
// the process before it is loaded. Every script imports this first; children inherit it.
process.env.ORT_DISABLE_TELEMETRY = '1';
