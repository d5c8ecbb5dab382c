/** Checks `--provider` and `--device`. A value that would be ignored is refused before anything is loaded. */
import { EntrainError } from '../protocol/errors.ts';
import { providerFlag, wholeNumber } from '../process/flags.ts';
import type { ModelOptions } from '../model/types.ts';

/** Providers that can be told which of several devices to use; WebGPU chooses its own. */
const WITH_DEVICES: readonly string[] = ['cuda', 'dml'];

/** @throws EntrainError `USAGE` */
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
