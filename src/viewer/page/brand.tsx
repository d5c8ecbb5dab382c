/** The program's logo, which links to the list of runs. */

export function Brand() {
  return (
    <a class="brand" href="/?runs" aria-label="entrain: all runs">
      <svg viewBox="0 0 64 32" aria-hidden="true">
        <path class="wave-a" d="M2 16 C 10 0, 18 0, 26 16 S 42 32, 50 16 S 60 4, 62 8" />
        <path class="wave-b" d="M2 24 C 10 8, 18 6, 26 18 S 42 32, 50 16 S 60 4, 62 8" />
      </svg>
      <span>entrain</span>
    </a>
  );
}
