/** The glossary of the documentation, with a place for each term that figures link to. */
import { useEffect, useState } from 'preact/hooks';
import glossary from '../../../docs/glossary.md?raw';
import { Brand } from './brand.tsx';

interface Part {
  title: string;
  terms: { name: string; meaning: string }[];
}

/** `SyncR²` → `syncr2`, `null, null model` → `null`. */
const anchorOf = (term: string): string =>
  term
    // The first of several names.
    .replace(/,.*/, '')
    .toLowerCase()
    .replaceAll('²', '2')
    .replaceAll(/[^a-z0-9]+/g, '-');

/** The tables of the page; a cell's code marks and links are written as plain text. */
function partsOf(markdown: string): Part[] {
  return markdown
    .split(/^## /m)
    .slice(1)
    .map((part) => {
      const [title = '', ...lines] = part.split('\n');
      const rows = lines.filter((line) => line.startsWith('|')).slice(2);
      const terms = rows.flatMap((row) => {
        const [, name = '', meaning = ''] = row.split('|').map((cell) => plain(cell.trim()));
        return name === '' ? [] : [{ name, meaning }];
      });
      return { title, terms };
    });
}

/** Without what leads out of the page: decisions, and other pages of the documentation. */
const plain = (text: string): string =>
  text
    .replaceAll(/ ?\((?:\[[^\]]*\]\([^)]*\)|decision \d+)\)/g, '')
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/[`*]|(?<!\w)_|_(?!\w)/g, '');

/** The words of the page's own figures come first. */
const FIRST = [
  'hidden state',
  'condition',
  'turn pair',
  'history',
  'influence',
  'matched SyncR²',
  'excess',
  'SyncR²',
  'null, null model',
];

const PARTS = ((): Part[] => {
  const parts = partsOf(glossary);
  const all = parts.flatMap(({ terms }) => terms);
  const terms = FIRST.flatMap((name) => all.find((term) => term.name === name) ?? []);
  const rest = parts.map((part) => ({
    title: part.title,
    terms: part.terms.filter(({ name }) => !FIRST.includes(name)),
  }));
  return [{ title: 'The words of the figures', terms }, ...rest];
})();

export function GlossaryPage() {
  useEffect(() => {
    document.title = 'Glossary · entrain';
    const go = (): void =>
      document.getElementById(location.hash.slice(1))?.scrollIntoView({ block: 'center' });
    go();
    addEventListener('hashchange', go);
    return () => removeEventListener('hashchange', go);
  }, []);
  const [wanted, setWanted] = useState('');
  const words = wanted.trim().toLowerCase();
  const parts = PARTS.map(({ title, terms }) => ({
    title,
    terms: terms.filter(({ name, meaning }) => `${name} ${meaning}`.toLowerCase().includes(words)),
  })).filter(({ terms }) => terms.length > 0);
  return (
    <>
      <header class="bar">
        <Brand />
        <h1 class="grow">Glossary</h1>
        <input
          type="search"
          placeholder="Find a word"
          aria-label="Find a word in the glossary"
          onInput={(event) => setWanted(event.currentTarget.value)}
        />
        <button type="button" onClick={() => history.back()}>
          Back
        </button>
      </header>
      <main class="glossary">
        {parts.length === 0 && <p class="empty">No entry has that word.</p>}
        {parts.map(({ title, terms }) => (
          <section key={title}>
            <h2>{title}</h2>
            <dl>
              {terms.map(({ name, meaning }) => (
                <div key={name} id={anchorOf(name)}>
                  <dt>{name}</dt>
                  <dd>{meaning}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </main>
    </>
  );
}
