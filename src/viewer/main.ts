/**
 * `entrain view`: shows the runs of a folder in a browser, as they happen and afterwards. It reads only run
 * folders, so no program of a run waits for it. Tokens as they are spoken come from NATS, if its address is given.
 */
import { environment } from '../process/environment.ts';
import { createLog, type Logger } from '../process/log.ts';
import { createShutdown, endOnSignals } from '../process/shutdown.ts';
import { programRoutes, serveHttp, type HttpServer } from '../transport/http/server.ts';
import { programVersion } from '../process/version.ts';
import { connectNats } from '../transport/nats/connection.ts';
import { readAssets } from './assets.ts';
import { createFeeds } from './feed.ts';
import { followHealth } from './health/follow-health.ts';
import { createViewerMetrics } from './metrics.ts';
import { viewerRoutes } from './routes.ts';
import { RunLibrary } from './library/run-library.ts';
import { serveNear } from './serve-near.ts';
import { readSettings, type Settings } from './settings.ts';
import { tokensOnNats } from './tokens-on-nats.ts';

export { FLAGS as flags, usage } from './settings.ts';

/** Interval between reads of the followed runs. */
const LOOK_MS = 300;

export async function run(argv: string[]): Promise<number> {
  const settings = await readSettings(argv);
  const log = createLog('viewer');
  const shutdown = createShutdown(log);
  endOnSignals(shutdown, { supervised: environment('ENTRAIN_SUPERVISED') === '1', exitCode: () => 0 });
  try {
    const assets = await readAssets();
    const link =
      settings.nats &&
      (await connectNats({ ...settings.nats, name: 'entrain viewer', log, waitMs: Infinity }));
    if (link) shutdown.onStop('nats link', () => link.close());
    const library = new RunLibrary(settings.runs);
    const version = await programVersion();
    const metrics = createViewerMetrics({ version, folder: settings.runs, feeds: () => feeds.open });
    const feeds = createFeeds(metrics);
    shutdown.onStop('feeds', () => feeds.close());
    shutdown.onStop('looks', lookNowAndThen(library, log));
    const tokens = link && tokensOnNats(link, log);
    const health = followHealth(settings.runs, settings.figuresToken);
    const awaited = settings.nats && settings.run;
    const pages = viewerRoutes({ assets, library, feeds, tokens, health, awaited });
    const routes = { ...pages, ...programRoutes({ metrics: () => metrics.text(), checks: {} }) };
    const { serving, mayMove } = settings;
    const server = await (mayMove ? serveNear : serveHttp)({ ...serving, routes, log });
    shutdown.onStop('http', () => server.close());
    process.stdout.write(addressText(settings, server));
    await shutdown.asked;
  } finally {
    await shutdown.stop();
  }
  return 0;
}

/** The line with the viewer's address, and why the usual port was not used. */
function addressText({ run, beside, serving, mayMove }: Settings, { url, port }: HttpServer): string {
  const both = beside === undefined ? '' : `/?compare=${run}&compare=${beside}`;
  const address = `viewer       ${url}${both || (run === undefined ? '/' : `/?run=${run}`)}\n`;
  const moved = `note         port ${serving.port} is in use: the viewer took ${port}\n`;
  return mayMove && port !== serving.port ? address + moved : address;
}

/** Reads the followed runs at intervals. @returns a function that stops it */
function lookNowAndThen(library: RunLibrary, log: Logger): () => void {
  let isLooking = false;
  const look = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    try {
      await library.lookAtFollowed();
    } catch (error) {
      log.error({ err: error }, 'a run folder could not be read');
    } finally {
      isLooking = false;
    }
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  return () => clearInterval(timer);
}
