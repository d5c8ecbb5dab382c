/** The page: a list of runs, or one run. */
import { render } from 'preact';
import { useAddress } from './address.ts';
import { RunPage } from './run-page.tsx';
import { RunsPage } from './runs-page.tsx';
import './style.css';

function App() {
  const { run, episode, turn } = useAddress();
  return run === undefined ? <RunsPage /> : <RunPage key={run} name={run} episode={episode} turn={turn} />;
}

const place = document.getElementById('page');
if (place) render(<App />, place);
