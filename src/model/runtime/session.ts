/** Opens an ONNX Runtime session on the given provider, or fails; it never falls back to another provider. */
import ort from '../../onnx/runtime.ts';
import { EntrainError } from '../../protocol/errors.ts';
import { loadFault } from './runtime-errors.ts';
import type { Provider } from '../types.ts';

export interface SessionOptions {
  provider: Provider;
  /** For CUDA and DirectML. With WebGPU the binding fails for this option, with others it ignores it. */
  deviceId?: number | undefined;
  threads: number;
  /** Folder of external weights. */
  weightsFolder: string;
  /** Outputs that stay in the device's memory; without a device of its own the provider gives them as all others. */
  deviceOutputs?: readonly string[] | undefined;
  /** Leave weights mapped from their file instead of packing a copy. */
  shareWeights?: boolean | undefined;
}

export async function openSession(graph: Uint8Array, options: SessionOptions): Promise<ort.InferenceSession> {
  refuseMissingProvider(options.provider);
  try {
    return await ort.InferenceSession.create(graph, {
      executionProviders: [providerOptions(options)],
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
      ...placeOutputs(options),
      extra: {
        session: {
          model_external_initializers_file_folder_path: options.weightsFolder,
          disable_prepacking: options.shareWeights ? '1' : '0',
          // Waiting threads that spin would take the core of the analyzer or of another agent.
          intra_op: { allow_spinning: '0' },
        },
        // A product that scales as well has no kernel for a single row, and decoding is made of single rows.
        optimization: { disable_specified_optimizers: 'MatMulScaleFusion' },
      },
    });
  } catch (cause) {
    throw loadFault(cause, options.provider);
  }
}

/** The binding knows the memory of WebGPU's device, and of no other. */
function placeOutputs({
  provider,
  deviceOutputs = [],
}: SessionOptions): Pick<ort.InferenceSession.SessionOptions, 'preferredOutputLocation'> {
  if (provider !== 'webgpu' || deviceOutputs.length === 0) return {};
  return { preferredOutputLocation: Object.fromEntries(deviceOutputs.map((name) => [name, 'gpu-buffer'])) };
}

function refuseMissingProvider(provider: Provider): void {
  const have = availableProviders();
  if (have.includes(provider)) return;
  throw new EntrainError(
    'PROVIDER_UNAVAILABLE',
    `The provider ${provider} is not available here, expected one of ${have.join(', ')}; "entrain doctor" says how to get it.`,
  );
}

export function availableProviders(): string[] {
  return ort.listSupportedBackends().map(({ name }) => name);
}

function providerOptions(options: SessionOptions): ort.InferenceSession.ExecutionProviderConfig {
  const { provider, deviceId } = options;
  return deviceId === undefined ? { name: provider } : { name: provider, deviceId };
}
