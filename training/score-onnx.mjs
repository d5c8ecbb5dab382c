// Runs an ONNX file of the family over token sequences: `node score-onnx.mjs MODEL.onnx ROWS.json LOGITS.bin`.
// ROWS.json holds [{ids, learned}]; prints JSON {nats: [per row], tokensPerSecond, megabytes} and writes the first
// row's logits as float32 [steps, vocab]. It knows nothing about PyTorch; evaluate.py compares.
import { readFileSync, writeFileSync } from "node:fs";

// before the runtime is loaded, which else sends reports about the machine and the model to its maker
process.env.ORT_DISABLE_TELEMETRY = "1";
const { default: ort } = await import("onnxruntime-node");

const [modelPath, rowsPath, logitsPath] = process.argv.slice(2);
const PIECES = 12; // the fastest piece counts, so that whatever else the machine does does not
const PIECE_TOKENS = 24;
const before = process.memoryUsage().rss;
const session = await ort.InferenceSession.create(modelPath, { intraOpNumThreads: 1, interOpNumThreads: 1 });
const inputs = Object.fromEntries(session.inputMetadata.map((input) => [input.name, input]));
const cacheNames = session.inputNames.filter((name) => name.startsWith("past_key_values."));

const whole = (values) => new ort.Tensor("int64", BigInt64Array.from(values, BigInt), [1, values.length]);
const emptyCache = () =>
  Object.fromEntries(cacheNames.map((name) => {
    const [, heads, , dims] = inputs[name].shape;
    return [name, new ort.Tensor("float32", new Float32Array(0), [1, heads, 0, dims])];
  }));

/** Runs ids behind `past` cached tokens; returns logits and the grown cache. */
async function step(ids, past, cache) {
  const outputs = await session.run({
    input_ids: whole(ids),
    attention_mask: whole(Array(past + ids.length).fill(1)),
    position_ids: whole(ids.map((_, index) => past + index)),
    ...cache,
  });
  const grown = Object.fromEntries(cacheNames.map((name) => [name, outputs[name.replace("past_key_values", "present")]]));
  return { logits: outputs.logits, cache: grown };
}

/** Nats of `target` under logits[offset, offset + vocab). */
function nats(logits, offset, vocab, target) {
  const row = logits.subarray(offset, offset + vocab);
  const top = row.reduce((most, value) => Math.max(most, value), -Infinity);
  return Math.log(row.reduce((sum, value) => sum + Math.exp(value - top), 0)) + top - row[target];
}

const rows = JSON.parse(readFileSync(rowsPath, "utf8"));
const scores = [];
for (const [index, { ids, learned }] of rows.entries()) {
  const { logits } = await step(ids.slice(0, -1), 0, emptyCache());
  const vocab = logits.dims[2];
  if (index === 0) writeFileSync(logitsPath, new Uint8Array(logits.data.buffer, logits.data.byteOffset, logits.data.byteLength));
  scores.push(ids.slice(1).reduce((sum, id, at) => sum + (learned[at + 1] ? nats(logits.data, at * vocab, vocab, id) : 0), 0));
}

let { cache } = await step(rows[0].ids.slice(0, 64), 0, emptyCache());
let tokensPerSecond = 0;
for (let piece = 0; piece < PIECES; piece++) {
  const start = process.hrtime.bigint();
  for (let at = 0; at < PIECE_TOKENS; at++) ({ cache } = await step([rows[0].ids[at]], 64 + piece * PIECE_TOKENS + at, cache));
  tokensPerSecond = Math.max(tokensPerSecond, PIECE_TOKENS / (Number(process.hrtime.bigint() - start) / 1e9));
}
console.log(JSON.stringify({ nats: scores, tokensPerSecond, megabytes: (process.memoryUsage().rss - before) / 1e6 }));
