/** The buttons under a figure: its picture as SVG and PNG, its numbers as CSV. */
import type { Cell } from './ladder-table.ts';
import { saveCsv, savePng, saveSvg } from './save-figure.ts';

interface SavesProps {
  /** Beginning of the file's name. */
  name: string;
  /** Stands above the saved picture. */
  title: string;
  /** Holds the figure: plots as SVG, or canvases. */
  place: { current: HTMLElement | null };
  table: () => Cell[][];
}

export function Saves({ name, title, place, table }: SavesProps) {
  return (
    <div class="saves">
      <span class="soft">Save</span>
      <button type="button" onClick={() => saveSvg(place.current, { name: `${name}.svg`, title })}>
        SVG
      </button>
      <button type="button" onClick={() => void savePng(place.current, { name: `${name}.png`, title })}>
        PNG
      </button>
      <button type="button" onClick={() => saveCsv(`${name}.csv`, table())}>
        CSV
      </button>
    </div>
  );
}
