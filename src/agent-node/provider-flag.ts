/** What `--provider` and `--device` ask for. A value that would be ignored is refused before anything is loaded. */
import { EntrainError } from '../protocol/errors.ts';
import { providerFlag, wholeNumber } from '../process/flags.ts';
import type { ModelOptions } from '../model/types.ts';

/** @throws EntrainError USAGE */
export function readProvider(values: {
  provider: string;
  device?: string | undefined;
}): Pick<ModelOptions, 'provider' | 'deviceId'> {
  const provider = providerFlag(values.provider);
  if (values.device === undefined) return { provider };
  if (provider !== 'cpu') return { provider, deviceId: wholeNumber('--device', values.device) };
  throw new EntrainError(
    'USAGE',
    `--device is "${values.device}": expected a provider with devices; cpu has none ("entrain doctor" says what works here).`,
  );
}
