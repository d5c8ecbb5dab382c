/** Converts error messages of ONNX Runtime to `EntrainError`s. */
import { EntrainError } from '../../protocol/errors.ts';
import type { Provider } from '../types.ts';

const MEMORY = /Failed to allocate memory|bad.?alloc|storage size overflow|Integer overflow|out of memory/i;
const OUTSIDE = /escapes|outside|not under|symlink|symbolic/i;
const WEIGHTS_FILE = /external data size mismatch|out of bounds or can not be read|Failed to parse value/i;
const GRAPH = /protobuf|parse|INVALID_GRAPH|external/i;
const TYPE = /Unsupported data type: (\d+)/;
const NEWER =
  /Unsupported model IR version|under development|only \*guarantees\* support|opset version .*not supported/i;
const NOT_THERE =
  /NOT_IMPLEMENTED|not implemented|Could not find an implementation|No opset import|unsupported/i;

/** The runtime's message in one line, without places in its source. */
export function plainReason(cause: unknown): string {
  return (cause as Error).message
    .replaceAll(/\s+/g, ' ')
    .replace(/^.* was false\. /, '')
    .replaceAll(/\S*onnxruntime_src\S* /g, '')
    .trim();
}

/** Error for a graph that could not be loaded. */
export function loadFault(cause: unknown, provider: Provider): EntrainError {
  const reason = plainReason(cause);
  const fault = (code: EntrainError['code'], message: string): EntrainError =>
    new EntrainError(code, message, { cause });
  if (MEMORY.test(reason)) return tooLarge(reason, cause);
  if (NEWER.test(reason)) return tooNew(reason, cause);
  if (OUTSIDE.test(reason))
    return fault(
      'MODEL_UNSAFE',
      `The graph's weights lie outside its folder: ${reason}; copy them beside the graph.`,
    );
  if (WEIGHTS_FILE.test(reason))
    return fault(
      'MODEL_CORRUPT',
      `The weights beside the graph are not where or not as long as it says: ${reason}; fetch graph and weights again, from one export.`,
    );
  if (TYPE.test(reason))
    return fault(
      'MODEL_UNSUPPORTED',
      `The graph has an input or output of a data type that cannot leave the runtime (${reason}; 16 is bfloat16), ` +
        'expected float32 or float16; export the model in one of those, whatever its weights are.',
    );
  if (provider !== 'cpu' && !GRAPH.test(reason))
    return fault(
      'PROVIDER_UNAVAILABLE',
      `The provider ${provider} could not be started: ${reason}; try another or run "entrain doctor".`,
    );
  if (NOT_THERE.test(reason))
    return fault(
      'MODEL_UNSUPPORTED',
      `ONNX Runtime has no ${provider} implementation of something in the graph: ${reason}; choose another export or provider.`,
    );
  return fault(
    'MODEL_CORRUPT',
    `ONNX Runtime cannot load the graph: ${reason}; fetch or export the model again.`,
  );
}

/** Error for a pass that failed. */
export function passFault(cause: unknown): EntrainError {
  if (cause instanceof EntrainError) return cause;
  const reason = plainReason(cause);
  if (cause instanceof RangeError || MEMORY.test(reason)) return tooLarge(reason, cause);
  return new EntrainError(
    'MODEL_UNSUPPORTED',
    `ONNX Runtime failed while running the graph: ${reason}; check the export with "entrain models inspect".`,
    { cause },
  );
}

function tooNew(reason: string, cause: unknown): EntrainError {
  const said = reason.replace(/^.*?(?=Unsupported|ONNX Runtime only)/, '');
  return new EntrainError(
    'MODEL_UNSUPPORTED',
    `The graph is newer than this runtime reads: ${said}; export it with an older opset and IR version.`,
    { cause },
  );
}

function tooLarge(reason: string, cause: unknown): EntrainError {
  return new EntrainError(
    'TENSOR_TOO_LARGE',
    `A tensor of the model does not fit into memory: ${reason}; use a smaller model, a shorter context or a machine with more memory.`,
    { cause },
  );
}
