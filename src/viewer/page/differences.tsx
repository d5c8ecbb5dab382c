/** The excess of a condition minus that of a control. */
import type { RunView } from '../view-data.ts';
import { probability, signed } from './words.ts';

export function Differences({ run }: { run: RunView }) {
  const { differences } = run.figures;
  if (differences.length === 0) return null;
  return (
    <table class="differences">
      <caption>Rung 2, between conditions</caption>
      <thead>
        <tr>
          <th scope="col">condition − control</th>
          <th scope="col">direction</th>
          <th scope="col">difference</th>
          <th scope="col">95 %</th>
          <th scope="col">p</th>
        </tr>
      </thead>
      <tbody>
        {differences.map(({ condition, against, direction, value, low, high, pValue }) => (
          <tr key={`${condition} ${against} ${direction}`}>
            <th scope="row">
              {condition} − {against}
            </th>
            <td>{direction}</td>
            <td>{signed(value)}</td>
            <td>
              {signed(low)} … {signed(high)}
            </td>
            <td>{probability(pValue)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
