/** The style sheet of the status page, for light and dark themes. */
export const PAGE_CSS = String.raw`
:root {
  color-scheme: light dark;
  --ground: #f6f5f2; --card: #ffffff; --line: #e3e0d9; --ink: #1b1f24; --soft: #6a6f76; --faint: #a3a7ac;
  --strict: #0f8f7e; --strict-wash: #0f8f7e2b; --paper: #c9782a; --warn: #b4472e; --axis: #d5d1c8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1318; --card: #171c23; --line: #262d36; --ink: #e8ebee; --soft: #97a0aa; --faint: #5d6670;
    --strict: #57c7b6; --strict-wash: #57c7b633; --paper: #f2a65a; --warn: #f08a6c; --axis: #333c47;
  }
}
* { box-sizing: border-box; margin: 0; }
body {
  background: var(--ground); color: var(--ink); max-width: 1180px; margin: 0 auto; padding: 28px 28px 40px;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; font-variant-numeric: tabular-nums;
}
header { display: flex; flex-wrap: wrap; align-items: center; gap: 18px 36px; margin-bottom: 30px; }
.brand { display: flex; align-items: center; gap: 14px; }
.brand svg { width: 64px; height: 32px; overflow: visible; }
.brand path { fill: none; stroke-width: 2.6; stroke-linecap: round; }
.wave-a { stroke: var(--strict); } .wave-b { stroke: var(--paper); }
h1 { font-size: 24px; font-weight: 650; letter-spacing: -0.02em; line-height: 1.1; }
.run { color: var(--soft); font-size: 13px; }
.figures { display: flex; flex-wrap: wrap; gap: 6px 28px; margin-left: auto; }
.figures div { display: flex; flex-direction: column-reverse; }
.figures dt { color: var(--soft); font-size: 12px; line-height: 1.3; }
.figures dd { font-size: 19px; font-weight: 600; line-height: 1.2; }
.status { border: 1px solid var(--line); border-radius: 99px; padding: 4px 14px 4px 28px; font-size: 13px; color: var(--soft); position: relative; background: var(--card); }
.status::before { content: ""; position: absolute; left: 12px; top: 50%; width: 8px; height: 8px; margin-top: -4px; border-radius: 50%; background: var(--faint); }
.status.fresh::before { background: var(--strict); }
.status.open::before { background: var(--paper); }
.status.pending::before { background: var(--paper); animation: breathe 1.6s ease-in-out infinite; }
.status.lost { color: var(--warn); } .status.lost::before { background: var(--warn); }
@keyframes breathe { 50% { opacity: 0.25; } }
@media (prefers-reduced-motion: reduce) { .status.pending::before { animation: none; } }
.condition { margin-bottom: 30px; }
.condition h2, .streams h2 { font-size: 16px; font-weight: 650; margin-bottom: 10px; }
.condition h2 span { color: var(--soft); font-weight: 400; margin-left: 8px; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(420px, 1fr)); gap: 16px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 20px 22px 16px; display: flex; flex-direction: column; gap: 14px; }
.card h3 { font-size: 14px; font-weight: 600; }
.card h3 small { display: block; color: var(--soft); font-weight: 400; font-size: 12.5px; }
.scores { display: grid; grid-template-columns: 1.45fr 1fr; gap: 20px; }
.label { font-size: 12.5px; color: var(--soft); }
.big { font-size: 40px; line-height: 1.1; font-weight: 650; letter-spacing: -0.03em; color: var(--strict); }
.big.flat { color: var(--ink); }
.second .big { font-size: 24px; color: var(--paper); letter-spacing: -0.01em; padding-top: 12px; }
.detail { font-size: 12.5px; color: var(--soft); }
.reason { color: var(--soft); font-size: 14px; }
.progress { height: 6px; border-radius: 3px; background: var(--line); overflow: hidden; }
.progress i { display: block; height: 100%; background: var(--strict); border-radius: 3px; }
svg.interval, svg.spark { display: block; width: 100%; overflow: visible; }
svg.interval { height: 34px; } svg.spark { height: 44px; }
.axis { stroke: var(--axis); } .zero { stroke: var(--faint); stroke-dasharray: 3 3; }
.band { fill: var(--strict-wash); } .edge { stroke: var(--strict); stroke-width: 2; }
.dot { fill: var(--strict); } .null { stroke: var(--ink); stroke-width: 2; }
svg text { fill: var(--soft); font-size: 11px; }
.line-strict, .line-paper { fill: none; stroke-width: 2; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.line-strict { stroke: var(--strict); } .line-paper { stroke: var(--paper); stroke-width: 1.4; opacity: 0.8; }
.matrix { border-collapse: separate; border-spacing: 4px; margin: 0 -4px 14px; font-size: 13px; }
.matrix caption { text-align: left; color: var(--soft); font-size: 12.5px; margin: 0 4px 4px; }
.matrix th { font-weight: 600; padding: 6px 12px; color: var(--soft); white-space: nowrap; text-align: left; }
.matrix td { min-width: 150px; max-width: 220px; padding: 8px 12px; border: 1px solid var(--line); border-radius: 8px; background: var(--card); }
.matrix td.self { background: none; border-style: dashed; }
.matrix td.above { background: color-mix(in srgb, var(--strict) calc(0.45 * var(--share)), var(--card)); }
.matrix td.below { background: color-mix(in srgb, var(--paper) calc(0.45 * var(--share)), var(--card)); }
.matrix td b { display: block; font-size: 18px; font-weight: 650; } .matrix td span { display: block; } .matrix .reason { font-size: 12px; }
.both { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 12px 22px; margin-top: 12px; display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 28px; }
.both b { font-size: 18px; font-weight: 650; } .both > .label { flex-basis: 100%; }
.steps { border-top: 1px solid var(--line); padding-top: 12px; } .steps b { color: var(--ink); font-weight: 600; }
.counts { margin-top: auto; display: flex; flex-wrap: wrap; gap: 4px 18px; border-top: 1px solid var(--line); padding-top: 12px; font-size: 12.5px; color: var(--soft); }
.counts b { color: var(--ink); font-weight: 600; }
.streams ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 10px; }
.streams li { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 8px 14px; font-size: 13px; color: var(--soft); }
.streams b { color: var(--ink); font-weight: 600; margin-right: 8px; } .streams .away { color: var(--warn); } .streams .done, .faint { color: var(--soft); opacity: 0.75; }
.empty { color: var(--soft); padding: 60px 0; text-align: center; }
footer { margin-top: 34px; color: var(--soft); font-size: 13px; max-width: 820px; }
footer b { color: var(--ink); font-weight: 600; } footer nav { margin-top: 12px; display: flex; gap: 18px; }
a { color: var(--strict); text-decoration: none; } a:hover, a:focus-visible { text-decoration: underline; }
@media (max-width: 560px) { body { padding: 18px 14px; } .cards { grid-template-columns: 1fr; } .scores { grid-template-columns: 1fr; } .figures { margin-left: 0; } }
`;
