/** The page: a list of runs, or one run. */
import { useAddress } from './address.ts';
import { RunPage } from './run-page.tsx';
import { RunsPage } from './runs-page.tsx';

export function App() {
  const { run, episode, turn } = useAddress();
  return run === undefined ? <RunsPage /> : <RunPage key={run} name={run} episode={episode} turn={turn} />;
}
