/** Plays an episode turn by turn, at any speed, and scrubs through it. */
import { useEffect, useState } from 'preact/hooks';

const SPEEDS = [1, 2, 4, 8];
const TURN_MS = 1600;

export function Player({
  last,
  played,
  play,
}: {
  last: number;
  played: number | undefined;
  play(turn: number | undefined): void;
}) {
  const [speed, setSpeed] = useState(2);
  const [isRunning, setIsRunning] = useState(false);
  useEffect(() => {
    if (!isRunning) return;
    const timer = setTimeout(() => {
      const next = (played ?? -1) + 1;
      if (next > last) {
        setIsRunning(false);
        play(undefined);
      } else play(next);
    }, TURN_MS / speed);
    return () => clearTimeout(timer);
  }, [isRunning, played, speed, last]);
  const toggle = (): void => {
    if (!isRunning && (played === undefined || played >= last)) play(0);
    setIsRunning(!isRunning);
  };
  return (
    <div class="player">
      <button type="button" onClick={toggle}>
        {isRunning ? 'Pause' : 'Play'}
      </button>
      <input
        type="range"
        min={0}
        max={last}
        value={played ?? last}
        aria-label="Turn"
        onInput={(event) => {
          const at = Number(event.currentTarget.value);
          play(at >= last ? undefined : at);
        }}
      />
      <span class="soft">
        turn {(played ?? last) + 1} of {last + 1}
      </span>
      <button
        type="button"
        onClick={() => setSpeed(SPEEDS[(SPEEDS.indexOf(speed) + 1) % SPEEDS.length] ?? 1)}
      >
        speed {speed} ×
      </button>
    </div>
  );
}
