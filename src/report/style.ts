/** The style sheet of a report: light or dark as the reader has it, and for paper. */
export const STYLE = `
:root { color-scheme: light dark; --ground: #fff; --ink: #16191f; --soft: #565e6b; --line: #dde1e7; --wash: #f4f6f8;
  --accent: #0b7265; --hue-a: #0b7265; --hue-b: #a04f00; --hue-c: #5b4bc4; --hue-d: #9c2f6b;
  --live: #2b56c6; --reader: #7a3fb5; --monologue: #5c6470; --shared-input: #a04f00; --random: #9c2f6b; --dose: #0b6f8f; }
@media (prefers-color-scheme: dark) { :root { --ground: #0f1216; --ink: #e9ecf1; --soft: #a3acb9; --line: #2b323c;
  --wash: #171b21; --accent: #57c7b6; --hue-a: #57c7b6; --hue-b: #f2a65a; --hue-c: #a79bff; --hue-d: #f08bbd;
  --live: #8fb0ff; --reader: #a79bff; --monologue: #a3acb9; --shared-input: #f2a65a; --random: #f08bbd; --dose: #6fcbe6; } }
@media print { :root { color-scheme: light; --ground: #fff; --ink: #000; --soft: #444; --line: #ccc; --wash: #fff;
  --accent: #0b7265; --hue-a: #0b7265; --hue-b: #a04f00; --hue-c: #5b4bc4; --hue-d: #9c2f6b; --live: #2b56c6;
  --reader: #7a3fb5; --monologue: #5c6470; --shared-input: #a04f00; --random: #9c2f6b; --dose: #0b6f8f; }
  figure, table, .talk { break-inside: avoid; } h2, h3 { break-after: avoid; } body { font-size: 11pt; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.55 system-ui, 'Segoe UI', Roboto, sans-serif;
  overflow-wrap: anywhere; }
main { max-width: 820px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 4px; }
h2 { font-size: 1.25rem; margin: 44px 0 8px; padding-top: 18px; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 26px 0 4px; }
p, ul { margin: 6px 0; }
.soft, figcaption, .unit { color: var(--soft); }
.verdict { margin: 18px 0; padding: 16px 18px; background: var(--wash); border-left: 4px solid var(--accent); }
.verdict p:first-child { font-size: 1.15rem; font-weight: 600; margin-top: 0; }
.verdict p:last-child { margin-bottom: 0; }
table { border-collapse: collapse; margin: 10px 0; font-size: 0.9rem; width: 100%; }
th { text-align: left; font-weight: 600; border-bottom: 1px solid var(--ink); }
th, td { padding: 4px 12px 4px 0; vertical-align: top; }
td { border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
figure { margin: 14px 0; }
figcaption { font-size: 0.9rem; }
svg { width: 100%; height: auto; display: block; overflow: visible; }
figure.small svg { max-width: 560px; }
.wide { overflow-x: auto; } .wide svg { min-width: 620px; }
td, th { min-width: 3.6em; }
td, th { overflow-wrap: normal; }
figcaption .entry { display: inline-block; margin-right: 16px; }
svg text { fill: var(--soft); font-size: 12px; font-family: inherit; }
svg .label, svg .value, svg .name { fill: var(--ink); }
svg .label { font-weight: 600; }
svg .pale .value { fill: var(--soft); }
svg .axis line { stroke: var(--soft); }
svg .zero { stroke: var(--soft); stroke-dasharray: 3 3; }
svg .null { stroke: var(--soft); stroke-width: 2; }
svg .interval { stroke: var(--c, var(--ink)); stroke-width: 2; }
svg circle { fill: var(--c, var(--ink)); stroke: var(--c, var(--ink)); stroke-width: 1.5; }
svg .pale circle { fill: var(--ground); }
svg .band { fill: var(--line); opacity: 0.7; }
svg .above { fill: var(--hue-a); } svg .below { fill: var(--hue-b); } svg .best { fill: none; stroke: var(--ink); stroke-width: 2; }
svg .curve { fill: none; stroke: var(--c, var(--ink)); stroke-width: 1.5; }
.hue-a { --c: var(--hue-a); } .hue-b { --c: var(--hue-b); } .hue-c { --c: var(--hue-c); } .hue-d { --c: var(--hue-d); }
.cond-live { --c: var(--live); } .cond-reader { --c: var(--reader); } .cond-monologue { --c: var(--monologue); }
.cond-shared-input { --c: var(--shared-input); } .cond-random { --c: var(--random); } .cond-dose { --c: var(--dose); }
.key { display: inline-block; width: 10px; height: 10px; border-radius: 5px; background: var(--c); margin-right: 5px; }
.talk { margin: 14px 0; padding: 12px 16px; border: 1px solid var(--line); border-radius: 6px; }
.talk h3 { margin-top: 0; }
.talk dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 12px; margin: 10px 0 0; }
.talk dt { color: var(--soft); } .talk dd { margin: 0; }
code, pre { font: 0.88rem/1.5 ui-monospace, 'Cascadia Mono', Menlo, monospace; }
pre { background: var(--wash); padding: 10px 14px; white-space: pre-wrap; }
`;
