// docs/capacity.md from measured rows: what one analyzer takes, and what more agents would need by that.

const TOKENS_PER_S = 20;
const AGENTS = [1000, 100_000];
const DAY_S = 86_400;
const LAYERS_STREAMED = 2;
const LAYERS = 12;

const HEAD = `# Capacity

Written by \`node scripts/capacity.js\`: real analyzers, and \`entrain load\` as agents of a model with 12 layers and 768 dimensions that stream **every token of every
layer**, the most that a study can ask for. A study without \`steps\` sends one frame a turn, some hundred times less.

## Measured
`;

const ENDS = `## Where the design ends

- **One run, one analyzer.** Scores are pooled over all groups of a run, so a run has one home (decision 0094) and is bounded by what one process records: its receiving side is one
  thread. Many runs spread over as many analyzers as there are; a run that is larger than one analyzer is cut into several runs.
- **1,000 agents**: one NATS server or a cluster of three, one coordinator with a standby, and analyzers by the table above, each with the disk of its runs. Nothing in the design
  changes; disks are what runs out first, so streamed layers are chosen and \`--budget-gb\` is set.
- **100,000 agents** need what is not built: *leaf nodes* of NATS, so that tokens and utterances of a rack stay there and only events leave it; *analyzers per rack*, beside their agents, since
  states must not cross racks; a *coordinator per rack*, since one process reduces the streams of all runs that it leads; and *object storage*: a sealed segment never changes again, so it
  can be moved away as a whole and read back by name.
`;

/** @param rows measured: one pair, ten pairs, ten with branches, ten as fast as it goes, the same on two analyzers */
export function capacityPage(rows, { machine, day, load, seconds }) {
  const [one, ten, , most, two] = rows;
  const pairs = ten.agents / 2;
  const figures = {
    core: { frames: most.frames / most.cpuS, megabytes: (most.megabytesPerS * seconds) / most.cpuS },
    pair: {
      frames: one.framesPerS,
      megabytes: one.megabytesPerS,
      bytes: Math.max(0, (ten.residentBytes - one.residentBytes) / (pairs - 1)),
    },
    times: two.framesPerS / most.framesPerS,
    seconds,
  };
  const busy =
    load > 1 ? ' **The machine was busy with other work: what was reached is less than it can.**' : '';
  const taken = `On ${machine}; load average ${load.toFixed(1)} before the first row; ${seconds} s a row; ${day}.${busy}`;
  return `${HEAD}\n${measuredTable(rows, seconds)}\n\n${measuredText(figures)}\n\n${taken}\n\n${onPaper(figures)}\n\n${ENDS}`;
}

const measuredTable = (rows, seconds) =>
  table([
    [
      'analyzers',
      'agents',
      'tokens a second',
      'branches',
      'frames/s',
      'MB/s',
      'acknowledged after (half, 99 %)',
      'left out',
      'cores of the analyzers',
    ],
    ...rows.map((row) => [
      row.analyzers,
      row.agents,
      row.rate,
      row.branches ? 'yes' : 'no',
      round(row.framesPerS),
      row.megabytesPerS.toFixed(1),
      `${round(row.p50Ms)}, ${round(row.p99Ms)} ms`,
      percent(row.leftOut, row.frames + row.leftOut),
      (row.cpuS / seconds).toFixed(2),
    ]),
  ]);

const measuredText = ({
  core,
  pair,
  times,
  seconds,
}) => `Tokens a second are those of each pair. What is left out had no room in a spool, or no processor time in the program that sent it, so the last two rows are what this machine
could send **and** take; sender and analyzers share its cores.

- **A core** of an analyzer takes ${round(core.frames)} frames or ${core.megabytes.toFixed(0)} MB a second: checked, recorded, synced, acknowledged and scored.
- **A pair** at ${TOKENS_PER_S} tokens a second is ${round(pair.frames)} frames and ${pair.megabytes.toFixed(2)} MB a second, so a core takes ${round(core.frames / pair.frames)} pairs.
- **Memory** of the analyzer is ${(pair.bytes / 1e6).toFixed(1)} MB a pair beyond the first, after ${seconds} seconds. It grows with the rows of a group up to 4,000 (\`--memory-gb\` bounds all of them).
- **Two analyzers** took ${times.toFixed(2)} times what one took, on the same cores.`;

const onPaper = ({ pair, core }) => `## On paper: more agents

Reckoned from the figures above, not measured: each pair talks without a pause, and processor time grows with the frames.

${table([
  [
    'agents',
    'frames/s',
    'GB/s',
    'cores of analyzers',
    'memory of analyzers',
    'recorded a day',
    'tokens a second on NATS',
  ],
  ...AGENTS.flatMap((agents) =>
    [1, LAYERS_STREAMED / LAYERS].map((share) => reckon(agents, { pair, core, share })),
  ),
])}

The second line of each is with ${LAYERS_STREAMED} of the ${LAYERS} layers (\`steps.layers\`); frames are as many, and a core is taken to be bound by bytes. On NATS each token is a message to whoever
watches, and one to each listener.`;

function reckon(agents, { pair, core, share }) {
  const pairs = agents / 2;
  const megabytes = pairs * pair.megabytes * share;
  const frames = pairs * pair.frames;
  return [
    round(agents),
    round(frames),
    (megabytes / 1000).toFixed(2),
    round(
      share === 1 ? Math.max(frames / core.frames, megabytes / core.megabytes) : megabytes / core.megabytes,
    ),
    `${round((pairs * pair.bytes) / 1e9)} GB`,
    `${((megabytes * DAY_S) / 1e6).toFixed(1)} TB`,
    round(2 * pairs * TOKENS_PER_S),
  ];
}

function table([header = [], ...rows]) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}

const round = (value) => Math.round(value).toLocaleString('en');
const percent = (part, all) => `${((100 * part) / Math.max(1, all)).toFixed(1)} %`;
