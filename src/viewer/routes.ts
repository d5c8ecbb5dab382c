/** HTTP routes of the viewer: its page, the list of runs, one run, the words of an episode, and the feed of a run. */
import { jsonAnswer, textAnswer, type HttpRequest, type HttpRoute } from '../transport/http/server.ts';
import { MOST_FEEDS, type Feeds } from './feed.ts';
import type { RunLibrary } from './library/run-library.ts';
import type { FollowedRun } from './library/followed-run.ts';
import type { FeedMessage } from './view-data.ts';

const MOST_FOUND = 200;
const noRun = () => jsonAnswer({ error: 'There is no run of this name here.' }, 404);

type Follow = (run: string, listener: (message: FeedMessage) => void) => () => void;

export interface RouteParts {
  assets: Readonly<Record<string, HttpRoute>>;
  library: RunLibrary;
  feeds: Feeds;
  /** Follows the tokens of a run as they are spoken; undefined without NATS. */
  tokens: Follow | undefined;
  /** Follows the health of the programs of a run. */
  health: Follow;
  /** The run whose programs are being started: it may begin later than the viewer. */
  awaited: string | undefined;
}

export function viewerRoutes({
  assets,
  library,
  feeds,
  tokens,
  health,
  awaited,
}: RouteParts): Readonly<Record<string, HttpRoute>> {
  const ofRun =
    (answer: (run: FollowedRun, request: HttpRequest) => unknown): HttpRoute =>
    async (request) => {
      const run = await library.open(request.query.get('run') ?? '');
      return run ? jsonAnswer(answer(run, request)) : noRun();
    };
  return {
    ...assets,
    '/api/runs': async () => jsonAnswer(await library.list()),
    '/api/run': async ({ query }) => {
      const name = query.get('run') ?? '';
      const run = await library.open(name);
      if (run) return jsonAnswer(run.view());
      return name === awaited ? jsonAnswer({}, 202) : noRun();
    },
    '/api/words': ofRun((run, { query }) => run.words(query.get('episode') ?? '')),
    '/api/effects': ofRun((run, { query }) => run.effects(query.get('episode') ?? '')),
    '/api/find': ofRun((run, { query }) => {
      const text = query.get('text')?.trim() ?? '';
      return text === '' ? [] : run.find(text, MOST_FOUND);
    }),
    '/api/feed': feedRoute({ library, feeds, tokens, health, awaited }),
  };
}

function feedRoute({ library, feeds, tokens, health, awaited }: Omit<RouteParts, 'assets'>): HttpRoute {
  return async ({ query }) => {
    const name = query.get('run') ?? '';
    if (feeds.open >= MOST_FEEDS)
      return textAnswer(503, `At most ${MOST_FEEDS} feeds are served at a time.\n`);
    if (!(await library.open(name)) && name !== awaited) return noRun();
    const follow = (send: (messages: FeedMessage[]) => void): (() => void) => {
      const one = (message: FeedMessage): void => send([message]);
      const stops = [library.follow(name, send), tokens?.(name, one), health(name, one)];
      return () => stops.forEach((stop) => stop?.());
    };
    return {
      status: 200,
      type: 'text/event-stream; charset=utf-8',
      body: 'retry: 1000\n\n',
      goesOn: (answer) => feeds.begin(answer, follow),
    };
  };
}
