// Markdown of a study's figures, out of the results.json beside its report: what docs/results.md is written from.
const signed = (value) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`;
const p = (value) => (value < 0.001 ? '< 0.001' : value.toFixed(3));
const probability = (value) => (value === undefined || value === null ? '' : p(value));
const range = ({ low, high }) =>
  low === undefined || high === undefined ? '' : ` [${signed(low)}, ${signed(high)}]`;

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return rows.length === 0 ? [] : ['', line(head), line(head.map(() => '---')), ...rows.map(line)];
}

const written = (one) => (one ? `${signed(one.value)}${range(one)}` : '');
const places = ({ sourceRole, targetRole }) =>
  sourceRole === undefined ? 'both' : `${sourceRole} → ${targetRole}`;

/** @param results of a report of one run */
export function studyFigures({ runs: [run], association }) {
  return [
    `verdict: ${run.verdict.claim}${run.provisional ? ' PROVISIONAL' : ''}`,
    ...table(['condition', 'places', 'models', 'turn pairs', 'excess', 'p', 'q'], groupRows(run)),
    ...table(['difference', 'places', 'excess', 'p'], differenceRows(run)),
    ...table(['condition', 'places', 'lag', 'excess', 'p'], lagRows(run)),
    ...table(
      ['condition', 'places', 'histories', 'influence', 'matched SyncR²', 'p', 'sequential p'],
      influenceRows(run),
    ),
    ...table(
      ['agent', 'condition', 'layer', 'states', 'dimensions for 90, 95, 99 %', 'straightness'],
      geometryRows(run),
    ),
    ...table(['outcome', 'of', 'episodes', 'mean', 'p'], outcomeRows(run)),
    ...associationFigures(association),
    '',
    ...run.faults.map((fault) => `- ${fault}`),
  ];
}

const groupRows = ({ groups }) =>
  groups.map((one) => [
    one.condition,
    places(one),
    [...new Set([one.sourceModel, one.targetModel])].filter(Boolean).join(' → '),
    one.samples ?? '',
    written(one.adjustment) || (one.reason ?? ''),
    probability(one.adjustment?.pValue),
    probability(one.adjustment?.qValue),
  ]);

const differenceRows = ({ differences }) =>
  differences.map((one) => [
    `${one.condition} − ${one.against}`,
    places(one),
    written(one),
    probability(one.pValue),
  ]);

const lagRows = ({ lags }) =>
  lags.flatMap((curve) =>
    curve.points.map((one) => [
      curve.condition,
      places(curve),
      one.lag,
      written(one),
      probability(one.pValue),
    ]),
  );

const influenceRows = ({ groups }) =>
  groups.flatMap((group) => {
    const one = group.intervention;
    if (!one) return [];
    return [
      [
        group.condition,
        places(group),
        one.histories,
        written(one.influence) || (one.reason ?? ''),
        written(one.matched),
        probability(one.matched?.pValue),
        probability(one.sequentialP),
      ],
    ];
  });

/** The first layer and the last. */
const geometryRows = ({ geometry }) =>
  geometry.flatMap(({ agent, condition, states, layers }) =>
    [0, layers.length - 1].map((at) => [
      agent,
      condition,
      at + 1,
      states,
      layers[at].dimensions?.join(', ') ?? '',
      layers[at].straightness?.toFixed(3) ?? '',
    ]),
  );

const outcomeRows = ({ outcomes }) =>
  outcomes.map(({ outcome, of, episodes, mean, low, high, pValue }) => [
    outcome,
    of,
    episodes,
    `${signed(mean)}${range({ low, high })}`,
    probability(pValue),
  ]);

function associationFigures(association) {
  if (!association) return [];
  return [
    ...table(ASSOCIATION_COLUMNS, associationRows(association)),
    ...table(
      ['variance of', 'predicting or speaking', 'predicted or listening', 'pair and error'],
      relationRows(association),
    ),
    ...association.within.map((one) =>
      'reason' in one
        ? `- ${one.outcome} within models: ${one.reason}`
        : `- ${one.outcome} within models: slope ${signed(one.slope)}${range(one.interval)}, p ${p(one.pValue)}, q ${p(one.qValue)}, ${one.episodes} episodes`,
    ),
  ];
}

const ASSOCIATION_COLUMNS = [
  'figure',
  'outcome',
  'of',
  'models',
  'Pearson',
  '95 % interval',
  'bootstrap',
  'Spearman',
  'p',
  'q',
  'partial',
];

function associationRows({ associations }) {
  return associations.map((one) => [
    one.isRival ? `(${one.figure})` : one.figure,
    one.outcome,
    one.of,
    `${one.models}${one.family === undefined ? '' : ` ${one.family}`}`,
    signed(one.pearson),
    one.interval ? range(one.interval).trim() : '',
    one.bootstrap ? range(one.bootstrap).trim() : '',
    one.spearman === undefined ? '' : signed(one.spearman),
    p(one.pValue),
    p(one.qValue),
    one.partial === undefined ? '' : signed(one.partial),
  ]);
}

function relationRows({ relations }) {
  return relations.flatMap((one) =>
    one.variance
      ? [[one.figure, ...['actor', 'partner', 'relationship'].map((of) => one.variance[of].toPrecision(2))]]
      : [],
  );
}
