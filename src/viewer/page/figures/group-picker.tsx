/** Picks which group a figure shows. */
import type { GroupView, RunView } from '../../view-data.ts';
import { directionOf } from '../format.ts';

interface GroupPickerProps {
  groups: readonly GroupView[];
  /** Its key. */
  shown: string;
  run: RunView;
  pick(key: string): void;
}

export function GroupPicker({ groups, shown, run, pick }: GroupPickerProps) {
  return (
    <select aria-label="Group" value={shown} onChange={(event) => pick(event.currentTarget.value)}>
      {groups.map((one) => (
        <option key={one.key} value={one.key}>
          {one.condition}, {directionOf(one, run)}
        </option>
      ))}
    </select>
  );
}
