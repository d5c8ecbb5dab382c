// A host with a real Prometheus that learns from the coordinators where the figures of all programs are, and has the
// rules of deploy/. Asked by a program on the same host: nobody else reaches it.
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findPrograms } from './command.js';
import { root } from './paths.js';
import { SetupError } from './setup-error.js';

const ASK = 'fetch(process.argv[1]).then((answer) => answer.text()).then((text) => console.log(text))';
const ADDRESS = '127.0.0.1:9090';

/** The token goes to programs that serve by https; agents that joined serve by http and ask for none. */
const configuration = ({ targets, ca, token }) => {
  const secure = [
    `authorization: { type: Bearer, credentials_file: '${token}' }`,
    `tls_config: { ca_file: '${ca}' }`,
  ];
  const job = (name, scheme, how) => [
    `- job_name: ${name}`,
    ...how.map((line) => `  ${line}`),
    '  http_sd_configs:',
    ...targets.flatMap((url) => [
      `    - url: '${url}'`,
      '      refresh_interval: 5s',
      ...secure.map((line) => `      ${line}`),
    ]),
    '  relabel_configs:',
    `    - { source_labels: [__scheme__], regex: ${scheme}, action: keep }`,
    '    - { target_label: job, replacement: entrain }',
  ];
  return [
    'global: { scrape_interval: 5s, evaluation_interval: 5s }',
    'rule_files: [alerts.yml, rules.yml]',
    'scrape_configs:',
    ...[...job('entrain', 'https', secure), ...job('entrain-http', 'http', [])].map((line) => `  ${line}`),
    '',
  ].join('\n');
};

/** @returns a function that gives the series of a query now */
export async function startPrometheus(host, { folder, ...of }) {
  const [program] = await findPrograms('prometheus');
  if (program === undefined)
    throw new SetupError('prometheus is not installed: "apt-get install prometheus".');
  await mkdir(folder);
  for (const rules of ['alerts.yml', 'rules.yml']) await cp(`${root}deploy/${rules}`, join(folder, rules));
  await writeFile(join(folder, 'prometheus.yml'), configuration(of));
  const flags = [
    `--config.file=${folder}/prometheus.yml`,
    `--storage.tsdb.path=${folder}/data`,
    `--web.listen-address=${ADDRESS}`,
  ];
  host.start([program, ...flags], { stdio: 'ignore' });
  return async (query) => {
    const url = `http://${ADDRESS}/api/v1/query?query=${encodeURIComponent(query)}`;
    const one = host.start([process.execPath, '-e', ASK, url], { stdio: ['ignore', 'pipe', 'ignore'] });
    let text = '';
    one.stdout.on('data', (part) => (text += part));
    await new Promise((done) => one.once('close', done));
    if (text === '') return [];
    const { data, error } = JSON.parse(text);
    if (error) throw new SetupError(`Prometheus does not take ${query}: ${error}`);
    return data.result.map(({ metric, value }) => ({ ...metric, value: Number(value[1]) }));
  };
}

/**
 * What Prometheus has to say at the end.
 * @param gone address of the analyzer that was killed
 * @param runs names of the runs, each with two agents, and the turns of each
 * @returns what is wrong; one sentence each
 */
export async function watchingFaults(query, { gone, programs, runs, turns }) {
  const wrong = [];
  const isGone = ({ instance }) => instance.startsWith(`${gone}:`);
  const up = (await query('up')).filter((one) => !isGone(one));
  if (up.length !== programs) wrong.push(`Prometheus watches ${up.length} programs of ${programs}`);
  for (const { instance, program, value } of up)
    if (value !== 1) wrong.push(`${program} ${instance} does not answer Prometheus`);
  const figures = {
    turns: ['max by (run) (max_over_time(entrain_run_turns[1h]))', (value) => value >= turns / 2],
    streams: [
      'count by (run) (count by (run, stream) (last_over_time(entrain_frames_accepted_total[1h]) > 0))',
      (value) => value >= 2,
    ],
    'an end': ['max by (run) (max_over_time(entrain_synchrony_final[1h]))', (value) => value === 1],
  };
  for (const [what, [expr, isRight]] of Object.entries(figures)) {
    const found = new Map((await query(expr)).map(({ run, value }) => [run, value]));
    for (const run of runs)
      if (!isRight(found.get(run) ?? 0))
        wrong.push(`Prometheus has not seen ${what} of ${run}: ${found.get(run)}`);
  }
  const fired = await query('max_over_time(ALERTS{alertstate="firing"}[1h])');
  const meant = fired.filter((one) => one.alertname === 'EntrainTargetDown' && isGone(one));
  if (meant.length === 0) wrong.push('no alert for the analyzer that was killed');
  // Until the analyzer has been replaced, its agents have no stream.
  const isMeant = (one) => meant.includes(one) || one.alertname === 'EntrainStreamDown';
  wrong.push(...fired.filter((one) => !isMeant(one)).map((one) => `alert ${JSON.stringify(one)}`));
  return wrong;
}
