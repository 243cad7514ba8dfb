"""How good the searches of the demo are, for those who want to know: behind a fold of the page."""

from __future__ import annotations

import html
from collections.abc import Iterable

from lookalike.demo.frame import Frame, picture
from lookalike.demo.run import HITS
from lookalike.drawing import draw_confusion
from lookalike.evaluate import Estimate
from lookalike.results.evaluation import Evaluation, QueryScores

_CLASSES = 6  # the best, and the worst


def measures(frame: Frame) -> str:
    """Show the measures, the best and the worst classes, and the worst queries."""
    made, grouped = frame.result.evaluation, frame.result.cluster_scores
    if made.found is None:
        unsaid = frame.result.collection.label_note is not None
        how = frame.command("index", frame.pictures, "--labels", "labels.csv") if unsaid else ""
        return _folded(f"<p class='note'>Not measured: {html.escape(made.missing)}.</p>{how}")
    found = made.found
    k = found.ks[-1]
    names = {
        "P@1": "of nearest neighbours carry the query's own label",
        f"P@{k}": f"of the {k} nearest do",
        "mAP": "mean average precision of the whole ranking",
    }
    cells = "".join(_figure(found.scores[name], f"{words} ({name})") for name, words in names.items())
    if grouped.found is not None and grouped.found.scores is not None:
        purity = grouped.found.scores.purity
        cells += _cell(f"{purity:.1%}", "", "of images carry the most common label of their group (purity)")
    is_drawn = found.n_queries < found.n_drawn_from
    queries = f"{found.n_queries:,} of {found.n_drawn_from:,}" if is_drawn else f"{found.n_queries:,}"
    worst = "".join(_worst(frame, query) for query in frame.worst)
    confusion = picture(lambda: draw_confusion(found), "Which labels are taken for which")
    return _folded(
        f"<div class='figures'>{cells}</div>"
        f"<p class='note'>Each of {queries} images was a query against all the others. A hit counts as right"
        " if it carries the query's label; the model knows nothing of labels. Small: where the figure would"
        " lie, in 95 of 100 cases, with other queries of the kind.</p>"
        f"<div class='tables'>{_tables(found)}</div>"
        f"<p class='note'>Found best and worst by P@{k}; taken for another, as a share of the first"
        f" {found.confusions.k} hits.</p><h3>The queries that did worst</h3>{worst}"
        f"<h3>What is taken for what</h3>{confusion}"
        f"{frame.command('evaluate', '--plot', 'worst.png', '--confusion', 'confusion.png')}"
    )


def _folded(body: str) -> str:
    return f"<section id='measured'><details><summary>How good is it?</summary>{body}</details></section>"


def _figure(estimate: Estimate, words: str) -> str:
    form = ".3f" if words.startswith("mean") else ".1%"
    return _cell(f"{estimate.mean:{form}}", f"{estimate.low:{form}} to {estimate.high:{form}}", words)


def _cell(figure: str, between: str, words: str) -> str:
    return f"<div><strong>{figure}</strong><small>{between}</small><span>{html.escape(words)}</span></div>"


def _tables(found: Evaluation) -> str:
    name = f"P@{found.ks[-1]}"
    classes = sorted((each for each in found.classes if each.n_queries), key=lambda each: each.means[name])
    n = min(_CLASSES, len(classes) // 2)
    best = [(each.label, f"{each.means[name]:.1%}") for each in classes[::-1][:n]]
    worst = [(each.label, f"{each.means[name]:.1%}") for each in classes[:n]]
    pairs = [
        (f"{each.label} → {each.found}", f"{each.share:.1%}") for each in found.confusions.pairs(_CLASSES)
    ]
    tables = (("Found best", best), ("Found worst", worst), ("Taken for another", pairs))
    return "".join(_table(caption, rows) for caption, rows in tables if rows)


def _table(caption: str, rows: Iterable[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><td>{html.escape(name)}</td><td>{value}</td></tr>" for name, value in rows)
    return f"<table><caption>{caption}</caption>{cells}</table>"


def _worst(frame: Frame, query: QueryScores) -> str:
    hits = "".join(
        frame.tile(hit, "right" if is_right else "wrong", "right" if is_right else "wrong")
        for hit in query.hits[:HITS]
        for is_right in [hit.label == query.image.label]
    )
    asked = frame.tile(query.image, "query", "query")
    return f"<div class='strip'>{asked}<span class='arrow'>→</span>{hits}</div>"
