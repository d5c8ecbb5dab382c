/** The page: a list of runs, one run, two side by side, or the glossary. */
import { render } from 'preact';
import { useAddress } from './address.ts';
import { ComparePage } from './compare-page.tsx';
import { GlossaryPage } from './glossary-page.tsx';
import { RunPage } from './run-page.tsx';
import { RunsPage } from './runs-page.tsx';
import './style.css';

function App() {
  const { run, episode, turn, compared, isGlossary, isList } = useAddress();
  if (isGlossary) return <GlossaryPage />;
  if (compared.length > 0) return <ComparePage sides={compared} />;
  return run === undefined ? (
    <RunsPage isList={isList} />
  ) : (
    <RunPage key={run} name={run} episode={episode} turn={turn} />
  );
}

const place = document.getElementById('page');
if (place) render(<App />, place);
