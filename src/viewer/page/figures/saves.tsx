/** The buttons under a figure: its picture as SVG and PNG, its numbers as CSV. */
import { saveCsv, savePng, saveSvg, type Cell } from './save-figure.ts';

interface SavesProps {
  /** Beginning of the file's name. */
  name: string;
  /** Holds the figure: plots as SVG, or canvases. */
  place: { current: HTMLElement | null };
  table: () => Cell[][];
}

export function Saves({ name, place, table }: SavesProps) {
  return (
    <div class="saves">
      <span class="soft">Save</span>
      <button type="button" onClick={() => saveSvg(place.current, `${name}.svg`)}>
        SVG
      </button>
      <button type="button" onClick={() => void savePng(place.current, `${name}.png`)}>
        PNG
      </button>
      <button type="button" onClick={() => saveCsv(`${name}.csv`, table())}>
        CSV
      </button>
    </div>
  );
}
