"""``lookalike evaluate``: how well images find their like, and how good clusterings are, next to labels."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lookalike.cli.console import print_json, relative, say, step_progress
from lookalike.cli.options import CollectionOption, DarkOption, JsonOption, ModelOption, QuietOption
from lookalike.errors import CollectionError, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lookalike.answers import ClusteringEvaluation, Evaluation, QueryScores, SearchComparison
    from lookalike.collection import Collection
    from lookalike.evaluate import Estimate
    from lookalike.types import Hit

_INDEX = "Search index"
_SPLITS = "Splits of a data set"
_WHAT = "What is measured"
_ENDS = 5  # classes shown at either end, and confused pairs
_PAIRS = 50  # confused pairs in the JSON
_WORST = 5
_DRAWN_HITS = 8  # of each query in a picture
_DRAWN_CLASSES = 24


def evaluate(
    collection: CollectionOption = None,
    k: Annotated[
        str | None,
        typer.Option(
            "-k", metavar="N,N,…", help="Where rankings are cut; 1,10 by default.", show_default=False
        ),
    ] = None,
    model: ModelOption = None,
    compare: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL|INDEX",
            help="Another model, or kind of index, on the same queries, with a paired test; may be repeated.",
            show_default=False,
        ),
    ] = None,
    clustering: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Measure only this clustering, no retrieval; may be repeated. By default both, and all that"
            " are kept.",
            rich_help_panel=_WHAT,
            show_default=False,
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.csv|NAME",
            help="A table with columns path and label; or a clustering, of which the clusters that you named"
            " are labels. By default those of folders and data sets, or else the names of clusters.",
            rich_help_panel=_WHAT,
            show_default=False,
        ),
    ] = None,
    queries: Annotated[
        str | None,
        typer.Option(
            metavar="N|all",
            help="How many images to take as queries, at random; at most 10,000 by default.",
            rich_help_panel=_WHAT,
            show_default=False,
        ),
    ] = None,
    query_split: Annotated[
        str | None,
        typer.Option(
            metavar="train|test",
            help="The queries are images of this split, and none of it is searched.",
            rich_help_panel=_SPLITS,
            show_default=False,
        ),
    ] = None,
    gallery_split: Annotated[
        str | None,
        typer.Option(
            metavar="train|test",
            help="Search only images of this split.",
            rich_help_panel=_SPLITS,
            show_default=False,
        ),
    ] = None,
    index: Annotated[
        str,
        typer.Option(
            metavar="KIND",
            help="What answers. exact ranks all images; others are asked for the largest k, and mAP ends"
            " there.",
            rich_help_panel=_INDEX,
        ),
    ] = "exact",
    recall: Annotated[
        float, typer.Option(metavar="SHARE", help="What an index is asked for.", rich_help_panel=_INDEX)
    ] = 0.99,
    random_state: Annotated[
        int,
        typer.Option(metavar="SEED", min=0, help="The same number draws the same queries and intervals."),
    ] = 0,
    worst: Annotated[
        int, typer.Option(metavar="N", min=0, help="How many of the worst queries to list, or to draw.")
    ] = _WORST,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Save the worst queries and what they found as a picture (.png, .svg, .pdf, .jpg).",
            show_default=False,
        ),
    ] = None,
    confusion: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Save which classes are taken for which as a picture.",
            show_default=False,
        ),
    ] = None,
    dark: DarkOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Measure how well images find others of their label: P@k, R@k, nDCG@k, mAP, with 95 % intervals.

    Each image is searched among all others. Clusterings that are kept are measured next to the labels, too.
    """
    from lookalike.cli.choose import open_named
    from lookalike.plots import check_ending

    for picture in (plot, confusion):
        if picture is not None:
            check_ending(picture)
    if clustering:
        asked = {"-k": k, "--model": model, "--compare": compare, "--queries": queries, "--plot": plot}
        asked |= {"--confusion": confusion, "--query-split": query_split, "--gallery-split": gallery_split}
        for option, value in asked.items():
            if value is not None:
                raise InvalidInputError(
                    f"{option} is about retrieval, and --clustering measures clusterings alone; leave one out"
                )
    if plot is not None and not worst:
        raise InvalidInputError("--worst is 0, which leaves nothing to draw; expected 1 or more")
    ks = None if k is None else _read_ks(k)
    chosen = open_named(collection)
    n_queries = _read_queries(queries, len(chosen))
    found = None
    with step_progress(quiet=quiet or json) as report:
        if not clustering:
            found = chosen.evaluate(
                ks,
                model=model,
                index=index,
                recall=recall,
                compare=compare or (),
                labels=labels,
                query_split=query_split,
                gallery_split=gallery_split,
                random_state=random_state,
                n_worst=worst,
                report=report,
                **({} if n_queries is None else {"n_queries": n_queries}),
            )
        clusterings = chosen.evaluate_clusterings(clustering, labels, random_state, report)
    if found is not None:
        if plot is not None:
            _save_worst(plot, chosen, found, dark)
        if confusion is not None:
            _save_confusion(confusion, found, dark)
    if json:
        print_json(_document(found, clusterings))
        return
    if found is not None:
        _print(found, is_quiet=quiet)
    if clusterings:
        _print_clusterings(clusterings, after=found is not None)


def _read_ks(words: str) -> list[int]:
    try:
        return [int(word) for word in words.split(",")]
    except ValueError:
        raise InvalidInputError(f"-k is {words!r}; expected whole numbers, such as 1,10") from None


def _read_queries(words: str | None, n_images: int) -> int | None:
    """Return how many queries to take: None for as many as is usual."""
    if words is None:
        return None
    if words == "all":
        return max(n_images, 1)
    if not words.isdecimal() or not int(words):
        raise InvalidInputError(f"--queries is {words!r}; expected a number, 1 or more, or all")
    return int(words)


def _print(found: Evaluation, is_quiet: bool) -> None:
    if not is_quiet:
        for line in _introduction(found):
            say(line)
        say("")
    rows = [["", "mean", "95 % interval"]]
    rows += [[name, f"{each.mean:.4f}", _interval(each)] for name, each in found.scores.items()]
    _print_table(rows)
    for other in found.comparisons:
        say("")
        _print_comparison(found, other)
    if is_quiet:
        return
    say("")
    _print_classes(found)
    pairs = found.confusions.pairs(_ENDS)
    if pairs:
        say("")
        say(f"most confused, of the first {_hits(found.ks[-1])} of a class's queries:")
        _print_table(
            [[f"  {pair.label}", f"{pair.share:.1%}", f"are {pair.found}"] for pair in pairs], left=(2,)
        )
    if found.worst:
        say("")
        say(f"worst {'query' if len(found.worst) == 1 else 'queries'}:")
        measure = _mean_ap(found)
        _print_table(
            [
                [
                    f"  {'AP' if measure == 'mAP' else measure[1:]} {each.values[measure]:.3f}",
                    f"{each.image.label}: found {_labels_in_words(each.hits)}",
                    relative(each.image.path),
                ]
                for each in found.worst
            ],
            left=(1, 2),
        )


def _introduction(found: Evaluation) -> list[str]:
    splits = f" of {found.gallery_split}" if found.gallery_split else ""
    queries = f"{found.n_queries:,} queries" if found.n_queries != 1 else "1 query"
    if found.n_queries < found.n_drawn_from:
        queries += f", drawn from {found.n_drawn_from:,} at random (--queries all takes them all)"
    elif found.query_split and found.query_split != found.gallery_split:
        queries += f" of {found.query_split}"
    else:
        queries += ", each image searched among the others"
    n_labels = len({*found.confusions.labels})
    lines = [
        f"{found.model}, index {found.index}: {found.n_images:,} images{splits}, {n_labels:,} labels from"
        f" {found.labels_from}; {queries}"
    ]
    left_out = [
        (found.n_unlabelled, "without label"),
        (found.n_not_in_all, "that not all models have embedded"),
        (found.n_without_relevant, "as queries, since no other image searched has their label"),
    ]
    lines += [f"left out: {_images(count)} {why}" for count, why in left_out if count]
    if found.unknown:
        named = ", ".join(found.unknown[:3]) + (", …" if len(found.unknown) > 3 else "")
        paths = "1 path" if len(found.unknown) == 1 else f"{len(found.unknown):,} paths"
        lines.append(f"not in this collection: {paths} of the table: {named}")
    return lines


def _print_comparison(found: Evaluation, other: SearchComparison) -> None:
    names = [found.model, other.model] if other.model != found.model else [found.index, other.index]
    rows = [["", *names, "difference", "95 % interval", "p"]]
    rows += [
        [
            name,
            f"{each.first.mean:.4f}",
            f"{each.second.mean:.4f}",
            f"{each.difference.mean:+.4f}",
            _interval(each.difference, signed=True),
            f"{each.p:.4f}",
        ]
        for name, each in other.measures.items()
    ]
    _print_table(rows)


def _print_classes(found: Evaluation) -> None:
    """Print the classes at both ends; all of them where they are few."""
    precision, mean_ap = f"P@{found.ks[-1]}", _mean_ap(found)
    ranked = sorted(found.classes, key=lambda each: (-each.means[mean_ap], each.label))
    n_between = max(len(ranked) - 2 * _ENDS, 0)
    rows = [["", "images", precision, mean_ap]]
    for number, each in enumerate(ranked):
        if n_between and number == _ENDS:
            rows.append([f"… {n_between:,} more", "", "", ""])
        if not n_between or number < _ENDS or number >= len(ranked) - _ENDS:
            figures = [f"{each.means[name]:.3f}" for name in (precision, mean_ap)]
            rows.append([each.label, f"{each.n_images:,}", *figures])
    _print_table(rows)


def _print_clusterings(clusterings: Sequence[ClusteringEvaluation], after: bool) -> None:
    if after:
        say("")
    rows = [["clustering", "model", "clusters", "noise", "NMI", "ARI", "purity", "silhouette"]]
    for each in clusterings:
        scores = each.scores
        agreement = (
            ["–"] * 3
            if scores is None
            else [f"{value:.3f}" for value in (scores.nmi, scores.ari, scores.purity)]
        )
        lone = "–" if each.silhouette is None else f"{each.silhouette:.3f}"
        rows.append([each.name, each.model, f"{each.n_clusters:,}", f"{each.noise:.1%}", *agreement, lone])
    _print_table(rows, left=(1,))


def _print_table(rows: Sequence[Sequence[str]], left: Sequence[int] = ()) -> None:
    """Print columns: the first, and those of `left`, from the left, the others from the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            f"{cell:<{width}}" if number == 0 or number in left else f"{cell:>{width}}"
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        say("  ".join(cells).rstrip())


def _interval(each: Estimate, signed: bool = False) -> str:
    return f"{each.low:+.4f} to {each.high:+.4f}" if signed else f"{each.low:.4f} to {each.high:.4f}"


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"


def _hits(count: int) -> str:
    return "hit" if count == 1 else f"{count:,} hits"


def _mean_ap(found: Evaluation) -> str:
    return next(name for name in found.scores if name.startswith("mAP"))


def _labels_in_words(hits: Sequence[Hit]) -> str:
    """Sum up the labels of some hits: ``crab ×7, ant ×2, tick ×1``; of many, the most frequent."""
    counts: dict[str, int] = {}
    for hit in hits:
        counts[str(hit.label)] = counts.get(str(hit.label), 0) + 1
    words = [f"{label} ×{count}" for label, count in sorted(counts.items(), key=lambda each: -each[1])]
    return ", ".join(words[:3]) + (", …" if len(words) > 3 else "")


def _document(found: Evaluation | None, clusterings: Sequence[ClusteringEvaluation]) -> dict[str, Any]:
    document: dict[str, Any] = {} if found is None else _retrieval_document(found)
    document["clusterings"] = [
        {
            "name": each.name,
            "model": each.model,
            "algorithm": each.algorithm,
            "images": each.n_images,
            "clusters": each.n_clusters,
            "noise": round(each.noise, 6),
            "nmi": None if each.scores is None else round(each.scores.nmi, 6),
            "ari": None if each.scores is None else round(each.scores.ari, 6),
            "purity": None if each.scores is None else round(each.scores.purity, 6),
            "silhouette": None if each.silhouette is None else round(each.silhouette, 6),
        }
        for each in clusterings
    ]
    return document


def _retrieval_document(found: Evaluation) -> dict[str, Any]:
    return {
        "model": found.model,
        "index": found.index,
        "k": list(found.ks),
        "labels_from": found.labels_from,
        "query_split": found.query_split,
        "gallery_split": found.gallery_split,
        "images": found.n_images,
        "queries": found.n_queries,
        "drawn_from": found.n_drawn_from,
        "left_out": {
            "without_label": found.n_unlabelled,
            "without_relevant_image": found.n_without_relevant,
            "not_in_all_models": found.n_not_in_all,
        },
        "unknown_paths": list(found.unknown),
        "scores": {name: _estimate_document(each) for name, each in found.scores.items()},
        "comparisons": [
            {
                "model": other.model,
                "index": other.index,
                "scores": {
                    name: {
                        **_estimate_document(each.second),
                        "difference": _estimate_document(each.difference),
                        "p": round(each.p, 6),
                    }
                    for name, each in other.measures.items()
                },
            }
            for other in found.comparisons
        ],
        "classes": [
            {
                "label": each.label,
                "images": each.n_images,
                "queries": each.n_queries,
                **_rounded(each.means),
            }
            for each in found.classes
        ],
        "confused": [
            {"label": pair.label, "found": pair.found, "share": round(pair.share, 6)}
            for pair in found.confusions.pairs(_PAIRS)
        ],
        "worst": [_query_document(each) for each in found.worst],
    }


def _estimate_document(each: Estimate) -> dict[str, float]:
    return _rounded({"mean": each.mean, "low": each.low, "high": each.high})


def _query_document(each: QueryScores) -> dict[str, Any]:
    return {
        "path": relative(each.image.path),
        "label": each.image.label,
        **_rounded(each.values),
        "hits": [
            {"path": relative(hit.path), "label": hit.label, "distance": round(hit.distance, 6)}
            for hit in each.hits
        ],
    }


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 6) for name, value in values.items()}


def _save_worst(path: Path, collection: Collection, found: Evaluation, dark: bool) -> None:
    from lookalike.plots import QueryRow, Tile, save_figure, use_theme, worst_queries

    shown = [(each, each.hits[:_DRAWN_HITS]) for each in found.worst]
    pictures = collection.thumbnails([hit.id for each, hits in shown for hit in (each.image, *hits)])
    measure = _mean_ap(found)

    def name(hit: Hit) -> str:
        return Path(hit.path).name if os.path.isabs(hit.path) else hit.path

    rows = [
        QueryRow(
            Tile(pictures[each.image.id], f"{each.image.label}", name(each.image)),
            [Tile(pictures[hit.id], f"{hit.label}", name(hit)) for hit in hits if hit.id in pictures],
            [hit.label == each.image.label for hit in hits if hit.id in pictures],
            f"{'AP' if measure == 'mAP' else measure[1:]} {each.values[measure]:.3f}",
        )
        for each, hits in shown
        if each.image.id in pictures
    ]
    if not rows:
        raise CollectionError(f"no thumbnail of a query is in {collection.folder}; index it again")
    n = len(rows)
    title = f"{found.model}: the {'worst query' if n == 1 else f'{n} worst queries'} of {found.n_queries:,}"
    with use_theme(dark=dark):
        figure = worst_queries(rows, title)
    save_figure(figure, path)
    print(f"saved {path}", file=sys.stderr)


def _save_confusion(path: Path, found: Evaluation, dark: bool) -> None:
    from lookalike.plots import confusion, save_figure, use_theme

    labels, shares = found.confusions.table(_DRAWN_CLASSES)
    n, all_of_them = len(labels), len(found.confusions.labels)
    title = f"{found.model}: classes of the first {_hits(found.ks[-1])}"
    title += f", the {n} most confused of {all_of_them:,}" if n < all_of_them else ""
    with use_theme(dark=dark):
        figure = confusion(labels, shares, title, is_part=n < all_of_them)
    save_figure(figure, path)
    print(f"saved {path}", file=sys.stderr)
