"""What stands on the demo's page, a function a section, each with the command that does the same."""

from __future__ import annotations

import base64
import html
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookalike.demo.run import CLUSTERING, HITS, DemoResult, Part, Search
from lookalike.drawing import (
    draw_confusion,
    draw_map,
    group_by_cluster,
    group_by_label,
    images_of_cluster,
)
from lookalike.evaluate import Estimate
from lookalike.plots import figure_bytes, use_theme
from lookalike.results.clusterings import Cluster
from lookalike.results.evaluation import Evaluation, QueryScores
from lookalike.system.wording import count_images
from lookalike.types import Hit, ImageId

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CLUSTERS = 10  # the largest
_CLASSES = 6  # the best, and the worst


class Frame:
    """What every section needs: the result, the thumbnails, and how ``lookalike`` is run.

    Parameters
    ----------
    result : DemoResult
    command : str
        How ``lookalike`` is run from here.
    """

    def __init__(self, result: DemoResult, command: str) -> None:
        self.result = result
        self.clusters = result.clusters.found.clusters[:_CLUSTERS] if result.clusters.found else ()
        self.worst = result.evaluation.found.worst if result.evaluation.found else ()
        self._command = command
        self._root = result.source.images.root
        self._jpegs = result.collection.thumbnails(self._shown())

    def _shown(self) -> list[ImageId]:
        shown = {image.id for image in self.result.sample}
        for each in self.result.searches:
            shown |= {image.id for image in (*each.wanted, *each.unwanted, *each.result.hits)}
        for cluster in self.clusters:
            shown |= images_of_cluster(cluster).keys()
        for query in self.worst:
            shown |= {image.id for image in (query.image, *query.hits)}
        return sorted(shown)

    def name(self, image: Hit) -> str:
        """Return how an image is called: its place below the folder."""
        path = Path(image.path)
        return str(path.relative_to(self._root)) if self._root in path.parents else path.name

    def tag(self, image: Hit, kind: str = "") -> str:
        """Return an image's thumbnail as HTML."""
        encoded = base64.b64encode(self._jpegs[image.id]).decode()
        name = html.escape(self.name(image))
        mark = f' class="{kind}"' if kind else ""
        return f'<img{mark} src="data:image/jpeg;base64,{encoded}" alt="{name}" title="{name}">'

    def tile(self, image: Hit, caption: str, kind: str) -> str:
        """Return a thumbnail with a caption and its label."""
        label = f"<span>{html.escape(image.label)}</span>" if image.label else ""
        return (
            f"<figure class='{kind}'><div>{self.tag(image)}</div>"
            f"<figcaption><b>{caption}</b>{label}</figcaption></figure>"
        )

    def command(self, name: str, *words: str) -> str:
        """Return a command on the demo's collection, for a reader to run."""
        return self.plain_command(name, "-c", str(self.result.collection.folder.parent), *words)

    def plain_command(self, *words: str) -> str:
        """Return a command, for a reader to run."""
        return f"<pre>{html.escape(f'{self._command} {shlex.join(words)}')}</pre>"


def header(frame: Frame) -> str:
    """Say how many pictures there are, and how long they took."""
    result = frame.result
    info, report = result.collection.info(), result.report
    copies = f" ({info.images:,} different ones)" if info.images != info.files else ""
    if report.embedded:
        rate = report.embedded / report.seconds
        speed = f"Indexed in {report.seconds:,.0f} s on this machine, {rate:,.0f} images a second."
    else:
        speed = f"They were indexed before; looking for changes took {report.seconds:.1f} s."
    failed = f" {report.failed:,} could not be read." if report.failed else ""
    done = (
        "searched, grouped, mapped"
        if result.evaluation.found is None
        else "searched, grouped, mapped and measured"
    )
    return (
        f"<header><h1>lookalike</h1><p class='lead'>{info.files:,} pictures of"
        f" {html.escape(result.source.images.title)}{copies}: {done} by what"
        f" they look like. {speed}{failed}</p></header>"
    )


def sample(frame: Frame) -> str:
    """Show some of the pictures."""
    tiles = "".join(frame.tag(image) for image in frame.result.sample)
    command = frame.command("index", str(frame.result.source.images.root))
    return f"<section><h2>Some of them</h2><div class='mosaic'>{tiles}</div>{command}</section>"


def search(frame: Frame, number: int) -> str:
    """Show the search of that number, from 1."""
    found = frame.result.searches[number - 1]

    def name(image: Hit) -> str:
        return html.escape(image.label or Path(image.path).name)

    title = " + ".join(name(image) for image in found.wanted)
    title += "".join(f" − {name(image)}" for image in found.unwanted)
    if found.clustering:
        title += ", among the images of its cluster"
    asked = "".join(frame.tile(image, "query", "query") for image in found.wanted)
    asked += "".join(frame.tile(image, "not", "query unwanted") for image in found.unwanted)
    hits = "".join(frame.tile(hit, _likeness(hit), "") for hit in found.result.hits)
    return (
        f"<section><h2>{number}. {title}</h2>{_strip(asked, hits)}"
        f"{frame.command('search', *_words_of(found))}"
        f"<p class='note'>answered in {found.seconds * 1000:.0f} ms; the figures are cosine similarities</p>"
        "</section>"
    )


def _words_of(found: Search) -> list[str]:
    words = [image.path for image in found.wanted]
    for image in found.unwanted:
        words += ["--not", image.path]
    return [*words, "-k", str(HITS), *(["--same-cluster", found.clustering] if found.clustering else [])]


def _likeness(hit: Hit) -> str:
    return f"{hit.distance:.3g}" if hit.score is None else f"{hit.score:.3f}"


def _strip(asked: str, found: str) -> str:
    return f"<div class='strip'><div class='asked'>{asked}</div><div class='found'>{found}</div></div>"


def clusters(frame: Frame) -> str:
    """Show the largest clusters."""
    made = frame.result.clusters
    if made.found is None:
        return _without("Groups of look-alikes", made)
    found = made.found
    rows = "".join(_cluster(frame, each) for each in frame.clusters)
    more = found.n_clusters - len(frame.clusters)
    rest = f" These are the {len(frame.clusters)} largest." if more > 0 else ""
    k = str(found.parameters.get("k", found.n_clusters))
    return (
        f"<section><h2>{found.n_clusters:,} groups of look-alikes</h2>"
        f"<p class='note'>Found by k-means in {made.seconds:.1f} s, by no name but only by looks.{rest}"
        " First come the images nearest to the centre; those with a dashed frame might as well belong to"
        f" another group.</p><div class='rows'>{rows}</div>"
        f"{frame.command('cluster', '-k', k, '--name', CLUSTERING, '--plot', 'clusters.png')}</section>"
    )


def _cluster(frame: Frame, cluster: Cluster) -> str:
    facts = [count_images(cluster.size)]
    if cluster.cohesion is not None:
        facts.append(f"cohesion {cluster.cohesion:.2f}")
    if cluster.label is not None and cluster.label_share is not None:
        facts.append(f"{cluster.label_share:.0%} are {cluster.label}")
    shown = images_of_cluster(cluster)
    images = "".join(
        frame.tag(image, "doubtful" if shown[image.id] else "")
        for image in {hit.id: hit for hit in (*cluster.central, *cluster.doubtful)}.values()
        if image.id in shown
    )
    return (
        f"<div><h3>{html.escape(cluster.title)}<span>{html.escape(' · '.join(facts))}</span></h3>"
        f"<div class='row'>{images}</div></div>"
    )


def image_map(frame: Frame) -> str:
    """Show the map as points and as tiles."""
    collection, made = frame.result.collection, frame.result.image_map
    if made.found is None:
        return _without("A map", made)
    found, clusters = made.found, frame.result.clusters.found
    if any(image.label is not None for image in found.images):
        groups, words = group_by_label(found), ["--color", "label"]
    elif clusters is not None:
        groups, words = group_by_cluster(found, clusters), ["--color", CLUSTERING]
    else:
        groups, words = None, []
    kind = f", coloured by {groups.kind}" if groups else ""
    points = _picture(lambda: draw_map(collection, found, groups), f"Map of the pictures{kind}")
    tiles = _picture(
        lambda: draw_map(collection, found, style="tiles"), "Pictures on a grid, alike by alike", "jpeg"
    )
    return (
        "<section><h2>A map</h2>"
        f"<p class='note'>Made by t-SNE in {made.seconds:.1f} s: what looks alike lies near each other."
        f" Distances between groups far apart mean little.</p>{points}"
        f"{frame.command('map', *words, '-o', 'map.png')}"
        f"{tiles}{frame.command('map', '--style', 'tiles', '-o', 'tiles.png')}</section>"
    )


def _picture(draw: Callable[[], Figure], words: str, form: str = "png") -> str:
    """Draw for light pages and for dark ones."""
    light, dark = (_drawn(draw, form, dark=dark) for dark in (False, True))
    return (
        f"<picture><source media='(prefers-color-scheme: dark)' srcset='{dark}'>"
        f"<img class='drawn' src='{light}' alt='{html.escape(words, quote=True)}'></picture>"
    )


def _drawn(draw: Callable[[], Figure], form: str, *, dark: bool) -> str:
    with use_theme(dark=dark):
        content = figure_bytes(draw(), form)
    return f"data:image/{form};base64,{base64.b64encode(content).decode()}"


def measures(frame: Frame) -> str:
    """Show the measures, the best and the worst classes, and the worst queries."""
    made, grouped = frame.result.evaluation, frame.result.cluster_scores
    if made.found is None:
        root = str(frame.result.source.images.root)
        unsaid = frame.result.collection.label_note is not None
        how = frame.command("index", root, "--labels", "labels.csv") if unsaid else ""
        return _without("How good is it?", made, how)
    found = made.found
    names = {"P@1": "of nearest neighbours carry the query's own label", **_at_most_ten(found)}
    cells = "".join(_figure(found.scores[name], f"{words} ({name})") for name, words in names.items())
    if grouped.found is not None and grouped.found.scores is not None:
        purity = grouped.found.scores.purity
        cells += _cell(f"{purity:.1%}", "of images carry the most common label of their group (purity)")
    queries = f"{found.n_queries:,} of {found.n_drawn_from:,}" if _is_drawn(found) else f"{found.n_queries:,}"
    worst = "".join(_worst(frame, query) for query in frame.worst)
    confusion = _picture(lambda: draw_confusion(found), "Which classes are taken for which")
    return (
        f"<section><h2>How good is it?</h2><div class='figures'>{cells}</div>"
        f"<p class='note'>Each of {queries} images was a query against all the others. A hit counts as right"
        " if it carries the query's label; the model knows nothing of labels. In brackets: where the figure"
        " would lie, in 95 of 100 cases, with other queries of the kind.</p>"
        f"<div class='tables'>{_tables(found)}</div>"
        f"<h3>The queries that did worst</h3>{worst}"
        f"<h3>What is taken for what</h3>{confusion}"
        f"{frame.command('evaluate', '--plot', 'worst.png', '--confusion', 'confusion.png')}</section>"
    )


def _at_most_ten(found: Evaluation) -> dict[str, str]:
    k = found.ks[-1]
    return {f"P@{k}": f"of the {k} nearest do", "mAP": "mean average precision of the whole ranking"}


def _is_drawn(found: Evaluation) -> bool:
    return found.n_queries < found.n_drawn_from


def _figure(estimate: Estimate, words: str) -> str:
    form = ".3f" if words.startswith("mean") else ".1%"
    between = f"{estimate.low:{form}} to {estimate.high:{form}}"
    return _cell(f"{estimate.mean:{form}}", f"{words} [{between}]")


def _cell(figure: str, words: str) -> str:
    return f"<div><strong>{figure}</strong><span>{html.escape(words)}</span></div>"


def _tables(found: Evaluation) -> str:
    name = f"P@{found.ks[-1]}"
    classes = sorted((each for each in found.classes if each.n_queries), key=lambda each: each.means[name])
    n = min(_CLASSES, len(classes) // 2)
    best = [(each.label, f"{each.means[name]:.1%}") for each in classes[::-1][:n]]
    worst = [(each.label, f"{each.means[name]:.1%}") for each in classes[:n]]
    pairs = [
        (f"{each.label} → {each.found}", f"{each.share:.1%}") for each in found.confusions.pairs(_CLASSES)
    ]
    return "".join(
        _table(caption, rows)
        for caption, rows in (
            (f"Found best, {name}", best),
            (f"Found worst, {name}", worst),
            (f"Taken for another, share of the first {found.confusions.k} hits", pairs),
        )
        if rows
    )


def _table(caption: str, rows: Iterable[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><td>{html.escape(name)}</td><td>{value}</td></tr>" for name, value in rows)
    return f"<table><caption>{caption}</caption>{cells}</table>"


def _worst(frame: Frame, query: QueryScores) -> str:
    hits = "".join(
        frame.tile(hit, _likeness(hit), "right" if hit.label == query.image.label else "wrong")
        for hit in query.hits[:HITS]
    )
    return _strip(frame.tile(query.image, "query", "query"), hits)


def next_steps(frame: Frame) -> str:
    """Say how to go on."""
    one = frame.result.searches[0].wanted[0].path
    commands = [
        frame.command("search", one, "--plot", "result.png"),
        frame.command("info"),
        frame.plain_command("index", "YOUR_PHOTOS"),
        frame.plain_command("search", "YOUR_PHOTOS/one.jpg"),
    ]
    return f"<section><h2>Go on from here</h2>{''.join(commands)}</section>"


def footer(frame: Frame) -> str:
    """Say where the pictures come from."""
    source = frame.result.source
    reasons = "".join(f"<li>{html.escape(reason)}</li>" for reason in source.reasons)
    return (
        f"<footer><h2>Where the pictures come from</h2><ul>{reasons}</ul>"
        f"<p>Licence of the pictures: {html.escape(source.images.licence)}.</p></footer>"
    )


def _without(title: str, part: Part[Any], how: str = "") -> str:
    missing = html.escape(part.missing)
    return f"<section><h2>{title}</h2><p class='note'>Not here: {missing}.</p>{how}</section>"
