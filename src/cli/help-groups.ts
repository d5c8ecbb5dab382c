/** The commands of `entrain help`, under what one wants to do. */

export const HELP_GROUPS: readonly (readonly [heading: string, commands: readonly string[]])[] = [
  ['Run a study here', ['start', 'view', 'rerun', 'study', 'import']],
  ['What runs came to', ['report', 'evaluate', 'analyze', 'measure', 'benchmark']],
  ['Recordings', ['verify', 'replay', 'export', 'pin', 'unpin']],
  [
    'A service of many machines',
    [
      'serve',
      'token',
      'join',
      'submit',
      'runs',
      'logs',
      'results',
      'stop',
      'resume',
      'fleet',
      'drain',
      'remove',
    ],
  ],
  ['Its programs one by one', ['agent', 'coordinator', 'analyzer', 'keys', 'load']],
  ['This machine', ['doctor', 'models', 'config', 'completion']],
];
