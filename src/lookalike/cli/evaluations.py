"""Evaluations as they are printed, for people and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lookalike.cli.console import relative, say
from lookalike.cli.hints import advise
from lookalike.system.wording import count_images, count_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lookalike.evaluate import Estimate
    from lookalike.results.evaluation import (
        ClusteringEvaluation,
        ClusteringEvaluations,
        Evaluation,
        SearchComparison,
    )
    from lookalike.types import Hit

_ENDS = 5  # classes shown at either end, and confused pairs


def print_evaluation(found: Evaluation, is_quiet: bool) -> None:
    """Print measures, and unless quiet what was measured, classes, and what fails."""
    if not is_quiet:
        for line in _introduction(found):
            say(line)
        say("")
    apart = found.without_duplicates
    are_both = apart is not None and apart.n_with_duplicates > 0
    rows = [["", "mean", "95 % interval", *(["without duplicates", "95 % interval"] if are_both else [])]]
    for name, each in found.scores.items():
        again = None if apart is None else apart.scores.get(name)
        its = [] if not are_both else ["–", "–"] if again is None else [f"{again.mean:.4f}", _interval(again)]
        rows.append([name, f"{each.mean:.4f}", _interval(each), *its])
    _print_table(rows)
    if not is_quiet:
        say(_of_duplicates(found))
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
        measure = found.mean_ap
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
    queries = count_of(found.n_queries, "query", "queries")
    if found.n_queries < found.n_drawn_from:
        queries += f", drawn from {found.n_drawn_from:,} at random (--queries all takes them all)"
    elif found.query_split and found.query_split != found.gallery_split:
        queries += f" of {found.query_split}"
    else:
        queries += ", each image searched among the others"
    lines = [
        f"{found.model}, index {found.index}: {found.n_images:,} images{splits},"
        f" {len(found.confusions.labels):,} labels from {found.labels_from}; {queries}"
    ]
    left_out = [
        (found.n_unlabelled, "without label"),
        (found.n_not_in_all, "that not all models have embedded"),
        (found.n_without_relevant, "as queries, since no other image searched has their label"),
    ]
    lines += [f"left out: {count_images(count)} {why}" for count, why in left_out if count]
    if found.unknown:
        named = ", ".join(found.unknown[:3]) + (", …" if len(found.unknown) > 3 else "")
        paths = count_of(len(found.unknown), "path")
        lines.append(f"not in this collection: {paths} of the table: {named}")
    return lines


def _of_duplicates(found: Evaluation) -> str:
    """Say what of the measures is owed to near-duplicates of the queries."""
    apart = found.without_duplicates
    if apart is None:
        return "near-duplicates of a query count as found: none were looked for (lookalike duplicates)"
    if not apart.n_with_duplicates:
        return "no query has near-duplicates among the images searched"
    queries = count_of(apart.n_with_duplicates, "query has", "queries have")
    lost = found.n_queries - apart.n_queries
    left_out = f"; {lost:,} of them find no other image of their label then, and do not count" if lost else ""
    return f"{queries} near-duplicates among the images searched, left out on the right{left_out}"


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
    precision, mean_ap = f"P@{found.ks[-1]}", found.mean_ap
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


def print_clusterings(clusterings: Sequence[ClusteringEvaluation], after: bool) -> None:
    """Print a line for each clustering."""
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


def _hits(count: int) -> str:
    return "hit" if count == 1 else f"{count:,} hits"


def _labels_in_words(hits: Sequence[Hit]) -> str:
    """Sum up the labels of some hits: ``crab ×7, ant ×2, tick ×1``; of many, the most frequent."""
    counts: dict[str, int] = {}
    for hit in hits:
        counts[str(hit.label)] = counts.get(str(hit.label), 0) + 1
    words = [f"{label} ×{count}" for label, count in sorted(counts.items(), key=lambda each: -each[1])]
    return ", ".join(words[:3]) + (", …" if len(words) > 3 else "")


def document_of(found: Evaluation | None, grouped: ClusteringEvaluations) -> dict[str, Any]:
    """Return all of it for `--json`."""
    retrieval = {} if found is None else found.to_dict(relative, advise)
    return retrieval | grouped.to_dict(relative, advise)
