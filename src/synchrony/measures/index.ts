/** All measures between two aligned streams, by name. SyncR² works on turn pairs and is not among them. */
import { accorr } from './accorr.ts';
import { ccorr } from './ccorr.ts';
import { ckaUnbiased } from './cka-unbiased.ts';
import { cka } from './cka.ts';
import { coh } from './coh.ts';
import { envcorr } from './envcorr.ts';
import { granger } from './granger.ts';
import { imcoh } from './imcoh.ts';
import { isc } from './isc.ts';
import type { Measure } from './measure.ts';
import { pli } from './pli.ts';
import { plv } from './plv.ts';
import { powcorr } from './powcorr.ts';
import { rsa } from './rsa.ts';
import { svcca } from './svcca.ts';
import { wpli } from './wpli.ts';
import { xcorr } from './xcorr.ts';

export const MEASURES: readonly Measure[] = [
  cka,
  ckaUnbiased,
  rsa,
  svcca,
  isc,
  xcorr,
  granger,
  plv,
  coh,
  imcoh,
  pli,
  wpli,
  ccorr,
  accorr,
  envcorr,
  powcorr,
];
