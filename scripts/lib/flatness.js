// Whether figures of a long operation stay flat: the middle one of the last third against that of the middle third. The
// first third is left out, in which caches fill, the compiler works and nothing is old enough to be forgotten.

/** Share by which a figure may grow, and what counts as nothing. */
const MOST = 1.1;
const NOTHING = {
  residentMb: 16,
  openFiles: 4,
  series: 8,
  streams: 8,
  consumers: 8,
  rows: 32,
  files: 32,
  kilobytes: 512,
};
/** Run folders are what the service is for: they grow with the runs, and no run may take more than those before it. */
const PER_RUN = { files: 'runs', kilobytes: 'runs' };

/** @returns a sentence for each figure that grew, or one that says why nothing was looked at */
export function flatness(rows) {
  const third = Math.floor(rows.length / 3);
  if (third === 0) return [`nothing can be said of ${rows.length} rows: three are needed`];
  const [middle, last] = [rows.slice(third, 2 * third), rows.slice(-third)];
  return Object.entries(NOTHING).flatMap(([figure, nothing]) =>
    namesIn(last.at(-1)[figure]).flatMap((name) => {
      const isPerRun = PER_RUN[figure] === name;
      const of = (row) => {
        const value = name === '' ? row[figure] : (row[figure][name] ?? 0);
        return isPerRun ? value / Math.max(1, row.finished) : value;
      };
      const [before, after] = [median(middle.map(of)), median(last.map(of))];
      if (after <= before * MOST || after - before <= (isPerRun ? 0 : nothing)) return [];
      const what = [figure, name, isPerRun ? 'per run' : ''].filter((word) => word !== '').join(' ');
      return [`${what} grew from ${shown(before)} to ${shown(after)}`];
    }),
  );
}

const namesIn = (value) => (typeof value === 'number' ? [''] : Object.keys(value));
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const shown = (value) => String(Math.round(value * 10) / 10);
