"""How the demo's page looks."""

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --muted: #5b6470; --page: #fafafa; --card: #fff;
  --line: #d9dde2; --accent: #0072b2; --unwanted: #a33f00; --right: #00704f; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaed; --muted: #a2abb6; --page: #15181c; --card: #1e2228; --line: #363c45;
    --accent: #56b4e9; --unwanted: #f0a35e; --right: #35c796; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 2.4rem; margin: 0; letter-spacing: -0.02em; }
h2 { font-size: 1.15rem; margin: 0 0 .75rem; }
.lead { font-size: 1.15rem; color: var(--muted); margin: .25rem 0 1.5rem; max-width: 46em; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 1.1rem 1.25rem; margin: 0 0 1.25rem; }
.mosaic { display: grid; grid-template-columns: repeat(auto-fill, minmax(82px, 1fr)); gap: 4px; }
.mosaic img { width: 100%; aspect-ratio: 1; object-fit: cover; display: block; border-radius: 3px;
  background: #fff; }
.strip { display: flex; gap: 1.25rem; align-items: flex-start; }
.asked { flex: 0 0 auto; display: flex; gap: .6rem; }
.asked figure { width: 132px; }
.found { flex: 1; display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: .6rem; }
figure { margin: 0; }
figure div { background: #fff; border: 1px solid var(--line); border-radius: 6px; overflow: hidden;
  aspect-ratio: 1; display: flex; align-items: center; justify-content: center; }
figure img { width: 100%; height: 100%; object-fit: contain; }
.query div { border: 3px solid var(--accent); }
.unwanted div { border: 3px dashed var(--unwanted); }
figcaption { font-size: .82rem; margin-top: .3rem; display: flex; flex-direction: column; }
figcaption b { font-variant-numeric: tabular-nums; }
.query b { color: var(--accent); }
.unwanted b { color: var(--unwanted); }
figcaption span { color: var(--muted); overflow-wrap: anywhere; line-height: 1.25; }
pre { background: var(--page); border: 1px solid var(--line); border-radius: 6px; padding: .5rem .75rem;
  margin: .9rem 0 0; font-size: .82rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.rows { display: grid; gap: .8rem; margin-top: .9rem; }
.rows h3 { font-size: .95rem; margin: 0 0 .3rem; }
.rows h3 span { color: var(--muted); font-weight: normal; margin-left: .6em; font-size: .85rem; }
.row { display: grid; grid-template-columns: repeat(12, minmax(0, 1fr)); gap: 4px; }
.row img { width: 100%; aspect-ratio: 1; object-fit: contain; display: block; border-radius: 3px;
  background: #fff; }
.row .doubtful { outline: 3px dashed var(--unwanted); outline-offset: -3px; }
.drawn { display: block; width: 100%; height: auto; margin: .9rem 0 0; border-radius: 6px; }
.right div { border: 3px solid var(--right); }
.right b { color: var(--right); }
.wrong div { border: 3px dashed var(--unwanted); }
.wrong b { color: var(--unwanted); }
.tables { display: flex; flex-wrap: wrap; gap: 1rem 3rem; margin: 1.2rem 0 0; }
table { border-collapse: collapse; font-size: .88rem; }
caption { text-align: left; font-weight: 600; padding-bottom: .25rem; }
td { padding: .1rem 1.2rem .1rem 0; }
td:last-child { text-align: right; padding-right: 0; font-variant-numeric: tabular-nums; }
h3 { font-size: 1rem; margin: 1.4rem 0 .6rem; }
.strip + h3, .strip + .strip { margin-top: 1rem; }
.note { color: var(--muted); font-size: .85rem; margin: .5rem 0 0; }
.figures { display: flex; gap: 2.5rem; flex-wrap: wrap; }
.figures div { display: flex; flex-direction: column; max-width: 15em; }
.figures strong { font-size: 2rem; font-variant-numeric: tabular-nums; line-height: 1.2; }
.figures span { color: var(--muted); font-size: .9rem; }
footer { color: var(--muted); font-size: .88rem; overflow-wrap: anywhere; }
footer h2 { color: var(--ink); font-size: 1rem; }
footer ul { padding-left: 1.2rem; }
@media (max-width: 760px) {
  .strip { flex-direction: column; }
  .found { grid-template-columns: repeat(3, minmax(0, 1fr)); width: 100%; }
  .row { grid-template-columns: repeat(6, minmax(0, 1fr)); } }
"""
