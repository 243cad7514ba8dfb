"""The demo's page: one HTML file with everything in it, pictures too, so that it opens from anywhere."""

from __future__ import annotations

import base64
import html
from pathlib import Path

from lookalike.collection import Collection
from lookalike.demo.run import DemoResult, Search
from lookalike.types import Hit, ImageId


def write_page(result: DemoResult, file: Path, command: str) -> None:
    """Write the page.

    Parameters
    ----------
    result : DemoResult
    file : Path
        Replaced if it is there.
    command : str
        How ``lookalike`` is run from here.
    """
    pictures = _Pictures(result)
    images = result.source.images
    sections = [
        _header(result),
        _sample(result, pictures),
        *(
            _search(search, number, pictures, result, command)
            for number, search in enumerate(result.searches, 1)
        ),
        _scores(result),
        _next_steps(result, command),
        "<footer><h2>Where the pictures come from</h2><ul>"
        + "".join(f"<li>{html.escape(reason)}</li>" for reason in result.source.reasons)
        + f"</ul><p>Licence of the pictures: {html.escape(images.licence)}.</p></footer>",
    ]
    body = "\n".join(sections)
    document = (
        "<!doctype html>\n"
        '<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>lookalike: {html.escape(images.title)}</title>\n<style>{_STYLE}</style></head>\n"
        f"<body><main>\n{body}\n</main></body></html>\n"
    )
    file.write_text(document, encoding="utf-8", errors="backslashreplace")


class _Pictures:
    """The thumbnails of all that is shown, as data URLs."""

    def __init__(self, result: DemoResult) -> None:
        shown: set[ImageId] = {image.id for image in result.sample}
        for search in result.searches:
            shown |= {image.id for image in (*search.wanted, *search.unwanted, *search.result.hits)}
        self._jpegs = result.collection.thumbnails(sorted(shown))
        self._root = result.source.images.root

    def name(self, image: Hit) -> str:
        path = Path(image.path)
        return str(path.relative_to(self._root)) if self._root in path.parents else path.name

    def tag(self, image: Hit) -> str:
        encoded = base64.b64encode(self._jpegs[image.id]).decode()
        name = html.escape(self.name(image))
        return f'<img src="data:image/jpeg;base64,{encoded}" alt="{name}" title="{name}">'


def _header(result: DemoResult) -> str:
    info = result.collection.info()
    report = result.report
    copies = f" ({info.images:,} different ones)" if info.images != info.files else ""
    if report.embedded:
        rate = report.embedded / report.seconds
        speed = f"Indexed in {report.seconds:,.0f} s on this machine, {rate:,.0f} images a second."
    else:
        speed = f"They were indexed before; looking for changes took {report.seconds:.1f} s."
    failed = f" {report.failed:,} could not be read." if report.failed else ""
    return (
        f"<header><h1>lookalike</h1><p class='lead'>{info.files:,} pictures of"
        f" {html.escape(result.source.images.title)}{copies}, searched by what they look like."
        f" {speed}{failed}</p></header>"
    )


def _sample(result: DemoResult, pictures: _Pictures) -> str:
    tiles = "".join(pictures.tag(image) for image in result.sample)
    return f"<section><h2>Some of them</h2><div class='mosaic'>{tiles}</div></section>"


def _search(search: Search, number: int, pictures: _Pictures, result: DemoResult, command: str) -> str:
    def name(image: Hit) -> str:
        return html.escape(image.label or Path(image.path).name)

    title = " + ".join(name(image) for image in search.wanted)
    title += "".join(f" − {name(image)}" for image in search.unwanted)
    asked = "".join(_tile(pictures, image, "query", "query") for image in search.wanted)
    asked += "".join(_tile(pictures, image, "not", "query unwanted") for image in search.unwanted)
    found = "".join(_tile(pictures, hit, f"{hit.score or 0:.3f}", "") for hit in search.result.hits)
    words = [command, "search", "-c", _shown(result.collection), *(image.path for image in search.wanted)]
    for image in search.unwanted:
        words += ["--not", image.path]
    return (
        f"<section><h2>{number}. {title}</h2><div class='strip'><div class='asked'>{asked}</div>"
        f"<div class='found'>{found}</div></div>{_shell(words)}"
        f"<p class='note'>answered in {search.seconds * 1000:.0f} ms; the figures are cosine similarities</p>"
        "</section>"
    )


def _tile(pictures: _Pictures, image: Hit, caption: str, kind: str) -> str:
    label = f"<span>{html.escape(image.label)}</span>" if image.label else ""
    return (
        f"<figure class='{kind}'><div>{pictures.tag(image)}</div>"
        f"<figcaption><b>{caption}</b>{label}</figcaption></figure>"
    )


def _scores(result: DemoResult) -> str:
    scores = result.scores
    if scores is None:
        return ""
    figures = [
        (f"{scores.precision[1]:.1%}", "of nearest neighbours lie in the query's own folder"),
        (f"{scores.precision[10]:.1%}", "of the ten nearest do (precision at 10)"),
        (f"{scores.mean_average_precision:.3f}", "mean average precision over the whole ranking"),
    ]
    cells = "".join(f"<div><strong>{figure}</strong><span>{words}</span></div>" for figure, words in figures)
    return (
        f"<section><h2>How good is it?</h2><div class='figures'>{cells}</div>"
        f"<p class='note'>Each of {scores.queries:,} images was a query against all the others. A hit counts"
        " as right if it lies in a folder of the same name; the model knows nothing of those names.</p>"
        "</section>"
    )


def _next_steps(result: DemoResult, command: str) -> str:
    one = result.searches[0].wanted[0].path
    lines = [
        [command, "search", "-c", _shown(result.collection), one, "--plot", "result.png"],
        [command, "info", "-c", _shown(result.collection)],
        [command, "index", "YOUR_PHOTOS"],
        [command, "search", "YOUR_PHOTOS/one.jpg"],
    ]
    return "<section><h2>Go on from here</h2>" + "".join(_shell(words) for words in lines) + "</section>"


def _shown(collection: Collection) -> str:
    return str(collection.folder.parent)


def _shell(words: list[str]) -> str:
    import shlex

    return f"<pre>{html.escape(shlex.join(words))}</pre>"


_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --muted: #5b6470; --page: #fafafa; --card: #fff;
  --line: #d9dde2; --accent: #0072b2; --unwanted: #a33f00; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaed; --muted: #a2abb6; --page: #15181c; --card: #1e2228; --line: #363c45;
    --accent: #56b4e9; --unwanted: #f0a35e; } }
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
  .found { grid-template-columns: repeat(3, minmax(0, 1fr)); width: 100%; } }
"""
