/**
 * The HTML of the status page; `script.ts` fills it and `style.ts` styles it. It loads nothing from other servers.
 */
export const PAGE_HTML = String.raw`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>entrain</title>
<link rel="icon" href="/icon.svg">
<link rel="stylesheet" href="/page.css">
<script src="/page.js" defer></script>
</head>
<body>
<header>
  <div class="brand">
    <svg viewBox="0 0 64 32" aria-hidden="true">
      <path class="wave-a" d="M2 16 C 10 0, 18 0, 26 16 S 42 32, 50 16 S 60 4, 62 8"/>
      <path class="wave-b" d="M2 24 C 10 8, 18 6, 26 18 S 42 32, 50 16 S 60 4, 62 8"/>
    </svg>
    <div><h1>entrain</h1><p id="run" class="run">no run yet</p></div>
  </div>
  <dl id="figures" class="figures"></dl>
  <p id="status" class="status" role="status">connecting</p>
</header>
<main id="conditions" aria-live="polite"></main>
<section id="streams" class="streams" hidden><h2>Agents</h2><ul></ul></section>
<footer>
  <p><b>Beyond history</b>: how much of the next speaker’s state one can tell from this speaker’s state, over what the
  words so far, the episode and the turn tell already, minus the same with episodes exchanged. The bar is its 95 %
  interval, the tick where 95 % of exchanges stay below. <b>Paper mode</b>: SyncR² as published; it also counts what both
  share without talking, so read it beside its nulls. It counts R² below 0 as 0; <b>unclipped</b> is what it is without that, and far below 0
  where turn pairs are few for the dimensions, for its penalty of 0.1 fits noise there. <b>Foretold, then learnt</b> (dashed): each new turn is predicted from
  earlier ones alone, over what turn number and words tell, and learnt only then. <b>Both directions</b>:
  the mean over who predicts whom and over the speaking orders; in paper mode it is the figure of the paper. While the page says
  provisional this is one look of many: report the final figures, for p and q hold once, at the planned end of a run.</p>
  <nav><a href="/metrics">metrics</a><a href="/api/scores">scores</a><a href="/api/state">state</a></nav>
</footer>
<noscript>This page draws itself with JavaScript; the same figures stand at /api/scores and /metrics.</noscript>
</body>
</html>
`;

export const PAGE_ICON = String.raw`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#12161c"/><g fill="none" stroke-width="2.6" stroke-linecap="round"><path stroke="#57c7b6" d="M4 16c4-9 8-9 12 0s8 9 12 0"/><path stroke="#f2a65a" d="M4 21c4-9 8-9 12-3s8 7 12-2"/></g></svg>`;
