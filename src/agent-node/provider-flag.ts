/** What `--provider` and `--device` ask for. A value that would be ignored is refused before anything is loaded. */
import { EntrainError } from '../protocol/errors.ts';
import { providerFlag, wholeNumber } from '../process/flags.ts';
import type { ModelOptions } from '../model/types.ts';

/** Those that ONNX Runtime's binding can tell which of several devices is meant; WebGPU's device it chooses itself. */
const WITH_DEVICES: readonly string[] = ['cuda', 'dml'];

/** @throws EntrainError USAGE */
export function readProvider(values: {
  provider: string;
  device?: string | undefined;
}): Pick<ModelOptions, 'provider' | 'deviceId'> {
  const provider = providerFlag(values.provider);
  if (values.device === undefined) return { provider };
  if (WITH_DEVICES.includes(provider)) return { provider, deviceId: wholeNumber('--device', values.device) };
  throw new EntrainError(
    'USAGE',
    `--device is "${values.device}": expected only with ${WITH_DEVICES.join(' or ')}, for ${provider} cannot be told which device.`,
  );
}
