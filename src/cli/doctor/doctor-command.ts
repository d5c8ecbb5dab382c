/**
 * `entrain doctor`: what this machine can run; with `--service` also what it needs to take part in a service: NATS,
 * clock, versions, disk, ports, certificates.
 */
import { parseArgs } from 'node:util';
import { environment } from '../../process/environment.ts';
import { wholeNumber } from '../../process/flags.ts';
import { createLog } from '../../process/log.ts';
import { usageText } from '../../process/usage.ts';
import { connectNats } from '../../transport/nats/connection.ts';
import { loadProgram } from '../commands.ts';
import { findServer, openService } from '../service/ask-service.ts';
import {
  checkCertificate,
  checkDisk,
  checkFleet,
  checkPort,
  checkServerVersion,
  type Finding,
} from './checks.ts';

const FLAGS = {
  service: {
    type: 'boolean',
    default: false,
    about: 'what it needs to take part in a service, in place of models',
  },
  model: { type: 'string', value: 'DIR', about: 'a model: how many of its dialogues may share a pass' },
  runs: {
    type: 'string',
    default: '.',
    value: 'DIR',
    about: 'with --service: a folder whose disk is looked at',
  },
  port: { type: 'string', multiple: true, value: 'PORT', about: 'with --service: a port that is to be free' },
  certificate: { type: 'string', multiple: true, value: 'FILE', about: 'with --service: when does it end?' },
  json: { type: 'boolean', default: false, about: 'the answer as one JSON object' },
} as const;

export const usage = (): string =>
  usageText(
    {
      call: 'entrain doctor [--model DIR] [--service]',
      about: 'Says what this machine can run, and how to get what is missing.',
    },
    FLAGS,
  );

/** @returns 1 if something of a service is wrong */
export async function run(argv: string[]): Promise<number> {
  if (!argv.includes('--service')) return (await loadProgram(MODELS)).run(['doctor', ...argv]);
  const { values } = parseArgs({ args: argv, options: FLAGS, strict: true });
  const files = ['NATS_CA_FILE', 'NATS_CERT_FILE'].flatMap((name) => environment(name) ?? []);
  const findings = [
    ...(await checkNats(values.runs)),
    await checkDisk(values.runs),
    ...(await Promise.all(
      (values.port ?? []).map((port) => checkPort(wholeNumber('--port', port, { most: 65_535 }))),
    )),
    ...(await Promise.all([...files, ...(values.certificate ?? [])].map(checkCertificate))),
  ];
  console.log(values.json ? JSON.stringify({ findings }) : findings.map(lineOf).join('\n'));
  return findings.every(({ isWell }) => isWell) ? 0 : 1;
}

const MODELS = { module: '../model/main.ts', summary: '' };

async function checkNats(runs: string): Promise<Finding[]> {
  try {
    const nats = await findServer(runs);
    const link = await connectNats({ ...nats, name: 'entrain doctor', log: createLog('doctor') });
    try {
      const version = link.connection.info?.version ?? 'unknown';
      return [checkServerVersion(version), ...(await checkFleet(openService(link, nats.user)))];
    } finally {
      await link.close();
    }
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    return [
      { check: 'nats', isWell: false, found, cure: 'see NATS_URL, NATS_USER and whether nats-server runs' },
    ];
  }
}

const lineOf = ({ check, isWell, found, cure }: Finding): string =>
  `${check.padEnd(12)} ${isWell ? 'well ' : 'WRONG'}  ${found}${cure === undefined ? '' : `; ${cure}`}`;
