"""How the demo's page looks."""

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --muted: #5b6470; --page: #f6f7f8; --card: #fff;
  --well: #eef0f2; --line: #d3d8de; --accent: #0072b2; --unwanted: #a33f00; --right: #00704f; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaed; --muted: #a2abb6; --page: #15181c; --card: #1e2228; --well: #15181c;
    --line: #3a414b; --accent: #56b4e9; --unwanted: #f0a35e; --right: #35c796; } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 2.4rem; margin: 0; letter-spacing: -0.02em; }
h2 { font-size: 1.35rem; margin: 0 0 .35rem; letter-spacing: -0.01em; }
h3 { font-size: 1rem; margin: 1.2rem 0 .4rem; }
.lead { font-size: 1.15rem; color: var(--muted); margin: .25rem 0 1rem; max-width: 46em; }
.lead b { color: var(--ink); }
nav { display: flex; flex-wrap: wrap; gap: .4rem .5rem; margin: 0 0 1.25rem; }
nav a { color: var(--accent); background: var(--card); border: 1px solid var(--line); border-radius: 99px;
  padding: .15rem .8rem; font-size: .92rem; text-decoration: none; }
nav a:hover { border-color: var(--accent); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 1.1rem 1.25rem; margin: 0 0 1.25rem; }
.note { color: var(--muted); font-size: .9rem; margin: 0 0 .8rem; max-width: 60em; }
.zoom { display: block; cursor: zoom-in; }
.mosaic { display: flex; flex-wrap: wrap; gap: 5px; }
.mosaic span { flex: var(--shape) 1 calc(var(--shape) * 104px); aspect-ratio: var(--shape); }
.mosaic::after { content: ""; flex: 1000 1 0; }
.mosaic .zoom { height: 100%; }
.mosaic img { width: 100%; height: 100%; object-fit: cover; display: block; border-radius: 4px;
  border: 1px solid var(--line); }
.searches { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.6rem; }
.strip { display: grid; grid-template-columns: repeat(8, minmax(0, 1fr)); gap: .6rem; }
.arrow { color: var(--muted); font-size: 2rem; aspect-ratio: 1; display: grid; place-items: center; }
figure { margin: 0; min-width: 0; }
figure div { background: var(--well); border: 1px solid var(--line); border-radius: 6px; overflow: hidden;
  aspect-ratio: 1; }
figure .zoom { width: 100%; height: 100%; }
figure img { width: 100%; height: 100%; object-fit: contain; display: block; }
.query div { border: 3px solid var(--accent); }
.unwanted div { border: 3px dashed var(--unwanted); }
figcaption { font-size: .85rem; margin-top: .3rem; display: flex; flex-direction: column; line-height: 1.3; }
figcaption b { font-variant-numeric: tabular-nums; }
.query b { color: var(--accent); }
.unwanted b { color: var(--unwanted); }
figcaption span { color: var(--muted); overflow-wrap: anywhere; }
.right div { border-color: var(--right); }
.right b { color: var(--right); }
.wrong div { border-color: var(--unwanted); border-style: dashed; }
.wrong b { color: var(--unwanted); }
.command { position: relative; margin: .7rem 0 0; }
pre { background: var(--page); border: 1px solid var(--line); border-radius: 6px; margin: 0;
  padding: .5rem 5rem .5rem .75rem; font-size: .85rem; overflow-x: auto; }
.command button { position: absolute; top: .3rem; right: .3rem; font: inherit; font-size: .78rem;
  color: var(--muted); background: var(--card); border: 1px solid var(--line); border-radius: 5px;
  padding: .1rem .55rem; cursor: pointer; }
.command button:hover { color: var(--ink); border-color: var(--accent); }
.rows h3 { margin: .9rem 0 .3rem; }
.rows h3 span { color: var(--muted); font-weight: normal; margin-left: .6em; font-size: .88rem; }
.row { display: grid; grid-template-columns: repeat(10, minmax(0, 1fr)); gap: 5px; }
.row .zoom { aspect-ratio: 1; background: var(--well); border: 1px solid var(--line); border-radius: 4px;
  overflow: hidden; }
.row img { width: 100%; height: 100%; object-fit: contain; display: block; }
.drawn { display: block; width: 100%; height: auto; margin: .9rem 0 0; border-radius: 6px; }
summary { font-size: 1.35rem; font-weight: 700; letter-spacing: -0.01em; cursor: pointer; }
details[open] summary { margin-bottom: .8rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); gap: 1rem 2rem;
  margin: 0 0 1rem; }
.figures div { display: flex; flex-direction: column; }
.figures strong { font-size: 2rem; font-variant-numeric: tabular-nums; line-height: 1.2; }
.figures small { color: var(--muted); font-variant-numeric: tabular-nums; white-space: nowrap;
  min-height: 1.5em; }
.figures span { color: var(--muted); font-size: .9rem; }
.tables { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: 1rem 3rem;
  align-items: start; margin: 1.2rem 0 .6rem; }
table { border-collapse: collapse; font-size: .88rem; }
caption { text-align: left; font-weight: 600; padding-bottom: .25rem; }
td { padding: .1rem 1rem .1rem 0; overflow-wrap: anywhere; }
td:last-child { text-align: right; padding-right: 0; font-variant-numeric: tabular-nums; }
.strip + .strip { margin-top: 1rem; }
dialog { border: 0; border-radius: 8px; padding: .6rem; background: var(--card); color: var(--ink);
  max-width: 98vw; max-height: 98vh; cursor: zoom-out; }
dialog::backdrop { background: #000b; }
dialog img { display: block; min-width: min(24rem, 90vw); max-width: 94vw; max-height: 88vh;
  object-fit: contain; margin: 0 auto; }
dialog.drawing img { max-width: none; max-height: none; }
dialog p { margin: .4rem 0 0; font-size: .85rem; color: var(--muted); overflow-wrap: anywhere; }
footer { color: var(--muted); font-size: .88rem; overflow-wrap: anywhere; }
@media (max-width: 760px) {
  .strip { grid-template-columns: repeat(4, minmax(0, 1fr)); }
  .row { grid-template-columns: repeat(5, minmax(0, 1fr)); }
  .mosaic span { flex-basis: calc(var(--shape) * 76px); } }
"""
