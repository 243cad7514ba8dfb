"""``lookalike cluster try``: what numbers of clusters, or distances, would bring. Nothing is kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from lookalike.cli.console import print_json, say, watched
from lookalike.cli.locate import open_named
from lookalike.cli.options import (
    AlgorithmOption,
    CollectionOption,
    MinSamplesOption,
    ModelOption,
    Output,
    Picture,
    SeedOption,
    only_given,
    option,
    picture_of,
    spelled,
)
from lookalike.cli.saving import Saveable
from lookalike.cluster.algorithms import DEFAULT_ALGORITHM, algorithms_that_take, get_algorithm
from lookalike.errors import InvalidInputError
from lookalike.system.wording import count_images

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.figure import Figure

    from lookalike.collection import Collection
    from lookalike.system.progress import Watch

_MOST_OF_RANGE = 12  # numbers that a range such as 2-100 stands for
_SHARES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9)  # of the images, that are core images at a distance tried


@dataclass(frozen=True, slots=True)
class Trial:
    """What is to be tried, in the words of the command's options."""

    algorithm: AlgorithmOption = None
    k: Annotated[
        str | None,
        option(
            "Numbers of clusters to be tried, such as 5,10,20, or a range, such as 2-100.",
            "-k",
            metavar="N,N,…",
        ),
    ] = None
    min_samples: MinSamplesOption = None
    model: ModelOption = None
    random_state: SeedOption = None

    @property
    def usual_algorithm(self) -> str:
        """The algorithm that is meant."""
        return self.algorithm or DEFAULT_ALGORITHM

    def check(self) -> None:
        """Raise InvalidInputError if there is nothing to be tried for that algorithm."""
        algorithm = self.usual_algorithm
        takes = get_algorithm(algorithm).takes
        if "k" not in takes and "eps" not in takes:
            raise InvalidInputError(
                f"a number of clusters or a distance is tried, and {algorithm} takes neither;"
                f" expected one of {', '.join(algorithms_that_take(['k', 'eps']))}"
            )
        if self.k is not None:
            if "k" not in takes:
                raise InvalidInputError(f"-k is {self.k!r}, but {algorithm} finds the number itself")
            if len(read_ks(self.k)) == 1:
                raise InvalidInputError(
                    f"-k is {self.k}, which leaves nothing to choose; expected several, such as 5,10,20 or"
                    " 2-100"
                )
        if self.min_samples is not None and "min_samples" not in takes:
            others = " and ".join(algorithms_that_take(["min_samples"]))
            raise InvalidInputError(f"--min-samples is for {others}, not for {algorithm}")


@dataclass(frozen=True, slots=True)
class _Tried:
    """What came of it: for programs, for people, and drawn; and the options to go on with."""

    document: dict[str, Any]
    rows: Sequence[Sequence[str]]
    basis: str
    draw: Callable[[], Figure]
    suggested: dict[str, str]

    def table(self) -> pa.Table:
        """Return what was tried, a row each."""
        import pyarrow as pa

        return pa.Table.from_pylist(list(self.document["tried"]))

    def html(self) -> str:
        """Return the lines that are printed, for a page."""
        from lookalike.system.tables import html_table

        return html_table(self.rows[0], self.rows[1:])


def try_(
    *,
    trial: Trial,
    picture: Annotated[Picture, picture_of("Save the curves")],
    collection: CollectionOption = None,
    output: Output,
) -> None:
    """Try several numbers of clusters, or distances, and suggest one; keep nothing.

    Numbers of clusters are tried with k-means, distances for dbscan. The last line is the command to go on
    with.
    """
    trial.check()
    picture.check()
    chosen = open_named(collection)
    with watched(quiet=output.is_silent) as watch:
        if "k" in get_algorithm(trial.usual_algorithm).takes:
            tried = _try_ks(trial, chosen, watch)
        else:
            tried = _try_distances(trial, chosen, watch)
    model = trial.model or chosen.model
    algorithm = None if trial.usual_algorithm == DEFAULT_ALGORITHM else trial.algorithm
    go_on = spelled(
        "cluster",
        "make",
        c=collection,
        algorithm=algorithm,
        **tried.suggested,
        min_samples=trial.min_samples,
        model=trial.model,
        random_state=trial.random_state,
    )
    facts = {"algorithm": trial.usual_algorithm, "model": model}
    document = {**facts, **tried.document, "command": go_on}
    picture.save(Saveable("numbers of clusters", lambda: document, tried.draw, tried.table, tried.html))
    if output.json:
        print_json(document)
        return
    widths = [max(map(len, column)) for column in zip(*tried.rows, strict=True)]
    for row in tried.rows:
        cells = [f"{cell:>{width}}" for cell, width in zip(row[:-1], widths, strict=False)]
        say("  ".join([*cells, row[-1]]).rstrip())
    if not output.quiet:
        say(f"{tried.basis}; {model}")
        say(f"nothing was kept; to go on: {go_on}")


def read_ks(words: str) -> list[int]:
    """Read numbers of clusters: ``5,10,20``, or a range, of which at most 12 are meant, in even ratios.

    >>> read_ks("5,20"), read_ks("2-6"), read_ks("2-100")
    ([5, 20], [2, 3, 4, 5, 6], [2, 3, 4, 6, 8, 12, 17, 24, 34, 49, 70, 100])
    """
    found: set[int] = set()
    for part in words.split(","):
        ends = re.fullmatch(r"\s*(\d{1,9})\s*(?:-\s*(\d{1,9})\s*)?", part, re.ASCII)
        if not ends or (ends[2] and int(ends[1]) >= int(ends[2])):
            raise InvalidInputError(
                f"-k is {words!r}; expected numbers such as 5,10,20 or a range such as 2-100"
            )
        low, high = int(ends[1]), int(ends[2] or ends[1])
        if high - low < _MOST_OF_RANGE or not low:
            found.update(range(low, min(high, low + _MOST_OF_RANGE) + 1))
        else:
            steps = range(_MOST_OF_RANGE)
            found.update(round(low * (high / low) ** (step / (_MOST_OF_RANGE - 1))) for step in steps)
    return sorted(found)


def _try_ks(trial: Trial, collection: Collection, watch: Watch) -> _Tried:
    from lookalike.plots import k_curves

    choice = collection.clusterings.try_ks(
        None if trial.k is None else read_ks(trial.k),
        **only_given(model=trial.model, random_state=trial.random_state),
        **watch.told,
    )
    each = list(zip(choice.ks, choice.inertias, choice.silhouettes, choice.seconds, strict=True))
    rows: list[Sequence[str]] = [("k", "inertia", "silhouette", "seconds", "")]
    rows += [
        (
            f"{k:,}",
            f"{inertia:,.4g}" if inertia < 1e4 else f"{inertia:,.0f}" if inertia < 1e9 else f"{inertia:.4g}",
            "–" if silhouette != silhouette else f"{silhouette:.3f}",
            f"{seconds:.1f}",
            f"suggested: {choice.reason}" if k == choice.suggested else "",
        )
        for k, inertia, silhouette, seconds in each
    ]
    sample = f", a sample of {choice.n_given:,}" if choice.n_rows < choice.n_given else ""
    return _Tried(
        choice.to_dict(),
        rows,
        f"tried with kmeans on {count_images(choice.n_rows)}{sample}",
        lambda: k_curves(choice.ks, choice.inertias, choice.silhouettes, choice.suggested, choice.reason),
        {"k": str(choice.suggested)},
    )


def _try_distances(trial: Trial, collection: Collection, watch: Watch) -> _Tried:
    from lookalike.plots import distance_curve

    found = collection.clusterings.try_distances(trial.min_samples, model=trial.model, **watch.told)
    n = len(found.distances)
    suggested, knee = _short(found.eps), _short(found.knee)
    on_curve = {_short(float(found.distances[min(round(share * n), n - 1)])) for share in _SHARES}
    each = [found.at(eps) for eps in sorted({*on_curve, suggested, knee}) if eps > 0]
    document = {
        "images": n,
        "min_samples": found.min_samples,
        "tried": [at.to_dict() for at in each],
        "knee": knee,
        "suggested": suggested,
    }
    rows: list[Sequence[str]] = [("eps", "core images", "clusters", "in the largest", "")]
    rows += [
        (
            f"{at.eps:.4g}",
            f"{at.n_core / n:.0%}",
            f"{at.n_clusters:,}",
            f"{at.n_largest / n:.0%}",
            "suggested" if at.eps == suggested else "knee of the curve" if at.eps == knee else "",
        )
        for at in each
    ]
    unit = "cosine distance" if found.metric == "cosine" else "euclidean distance"
    title = f"{count_images(n)}, {trial.model or collection.model}"
    return _Tried(
        document,
        rows,
        f"{count_images(n)}; a core image has {found.min_samples}, itself counted, within the distance",
        lambda: distance_curve(found.distances, found.min_samples, found.eps, unit, title),
        {"eps": f"{suggested:g}"},
    )


def _short(eps: float) -> float:
    """Return a distance as it is printed, and may be given back."""
    return float(f"{eps:.4g}")
