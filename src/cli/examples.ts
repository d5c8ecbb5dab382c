/** Examples of each command, printed at the end of its help page. */

type Example = readonly [call: string, about: string];

export const EXAMPLES: Readonly<Record<string, readonly Example[]>> = {
  start: [
    ['entrain start', 'the demo: two models talk, and the viewer shows it'],
    ['entrain start --study my-study.json --once', 'a study of your own, to its end'],
    ['entrain start --run demo', 'goes on with a run that was stopped'],
  ],
  rerun: [['entrain rerun demo', 'are words and scores the same again?']],
  agent: [
    [
      'entrain agent --id ada --model models/entrain-dialogue-8m',
      'one agent, at the server that NATS_URL names',
    ],
  ],
  coordinator: [
    [
      'entrain coordinator --run r1 --study my-study.json --private-key keys/stream-private.pem',
      'a study, over agents that run',
    ],
  ],
  analyzer: [
    [
      'entrain analyzer --public-key keys/stream-public.pem --runs runs',
      'records and scores what agents stream',
    ],
  ],
  load: [
    [
      'entrain load --url ws://127.0.0.1:4080/stream --private-key keys/stream-private.pem --agents 20',
      'ten pairs for half a minute: frames a second, and how soon they are recorded',
    ],
  ],
  serve: [
    [
      'entrain serve --agent ada --agent ben --submitter eva',
      'all programs here, until Ctrl-C; eva may submit',
    ],
    ['entrain serve --listen lab-0', 'the same for other machines, and prints how they join'],
  ],
  join: [
    ['entrain join TOKEN --model models/entrain-dialogue-8m', 'an agent of this machine, called as it is'],
    ['entrain join TOKEN --model ada=DIR --install', 'the same, and again after each boot'],
    [
      'entrain join TOKEN --analyzer --runs /data/runs',
      'an analyzer, by a token of "entrain token --analyzer"',
    ],
  ],
  token: [
    ['entrain token', 'one long word, good once and for 15 minutes'],
    ['entrain token --analyzer', 'the same for an analyzer'],
    ['entrain token --revoke 3f9a0c1b2d4e', 'lets nobody in by it'],
  ],
  submit: [['entrain submit my-study.json --name pilot', 'runs when the agents that it names are free']],
  runs: [['entrain runs', 'state, progress and time left of every run']],
  stop: [['entrain stop pilot', 'stops it where it is']],
  resume: [['entrain resume pilot', 'goes on where it stopped']],
  logs: [['entrain logs pilot --follow', 'episodes and roles as they come, until the run is over']],
  results: [['entrain results pilot --out results', 'what was said and scored, into results/pilot']],
  fleet: [['entrain fleet --json', 'machines, models and what they do, for a program']],
  drain: [
    ['entrain drain ada', 'no further run after this one'],
    ['entrain drain ada --undo', 'takes runs again'],
  ],
  remove: [
    ['entrain remove ada', 'another agent takes its role at once'],
    ['entrain remove rack-2 --analyzer', 'its runs go on at another analyzer'],
  ],
  view: [
    ['entrain view', 'all runs in a browser'],
    ['entrain view demo --runs runs', 'this run first'],
    ['entrain view first second', 'these two side by side'],
  ],
  config: [['entrain config start', 'what holds for start here, and by what']],
  completion: [['source <(entrain completion bash)', 'Tab completes commands and flags in this shell']],
  keys: [['entrain keys keys', 'stream-private.pem signs tokens, stream-public.pem checks them']],
  models: [
    ['entrain models inspect models/entrain-dialogue-8m', 'layers, width and what can be tapped'],
    ['entrain models try models/entrain-dialogue-8m', 'what it says, before a study'],
  ],
  doctor: [
    ['entrain doctor', 'what this machine can run'],
    ['entrain doctor --service', 'is the service sound: NATS, clocks, certificates, versions?'],
  ],
  measure: [
    ['entrain measure --list', 'every measure, and what it takes'],
    ['entrain measure influence --run demo', 'a measure over a run that was recorded'],
  ],
  verify: [
    ['entrain verify demo', 'is every byte of runs/demo there?'],
    ['entrain verify /data/runs/demo --json', 'the same of a folder elsewhere, for a program'],
  ],
  replay: [
    ['entrain replay demo --last', 'are the last scores those of the recording?'],
    ['entrain replay demo --progress', 'every published score, and how far it is'],
  ],
  export: [
    ['entrain export demo --format parquet', 'talk, outcomes and scores as tables, into runs/demo-export'],
    ['entrain export demo --format npy --out arrays', 'hidden states, as the scripts of the paper read them'],
  ],
  import: [['entrain import sotopia sotopia-data --out my-study.json', 'a study of published scenarios']],
  study: [
    ['entrain study validate my-study.json', 'is it a study, and where is it none?'],
    ['entrain study plan my-study.json', 'how many episodes, turns and bytes it comes to'],
  ],
  evaluate: [['entrain evaluate demo', 'outcomes by the rules of the study']],
  analyze: [
    ['entrain analyze run-a run-b', 'does synchrony go with outcomes across models?'],
    ['entrain analyze run-a --model models/small --model models/large', 'static CKA among the rivals'],
  ],
  report: [
    ['entrain report demo', 'one HTML file and results.json, beside the run'],
    ['entrain report demo --human eeg.json', 'with dyads of people on the same page'],
  ],
  benchmark: [['entrain benchmark models/entrain-dialogue-8m', 'the protocol with this model, and its card']],
  pin: [
    ['entrain pin demo', 'keeps the recording of demo'],
    ['entrain unpin demo', 'lets it go when room is needed'],
  ],
  unpin: [['entrain unpin demo', 'lets the recording of demo go when room is needed']],
};

/** The examples of a command, as lines under a heading; empty where there are none. */
export function exampleText(name: string): string {
  const examples = EXAMPLES[name] ?? [];
  if (examples.length === 0) return '';
  const lines = examples.map(([call, about]) => `  ${call}\n      ${about}`);
  return `\n\nExamples:\n\n${lines.join('\n')}`;
}
