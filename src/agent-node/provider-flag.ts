/** What `--provider` and `--device` ask for. A value that would be ignored is refused before anything is loaded. */
import { deviceFlag, providerFlag } from '../process/flags.ts';
import type { ModelOptions } from '../model/types.ts';

/** @throws EntrainError USAGE */
export function readProvider(values: {
  provider: string;
  device?: string | undefined;
}): Pick<ModelOptions, 'provider' | 'deviceId'> {
  const provider = providerFlag(values.provider);
  if (values.device === undefined) return { provider };
  return { provider, deviceId: deviceFlag(values.device, provider) };
}
