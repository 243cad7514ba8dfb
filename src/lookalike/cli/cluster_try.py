"""``lookalike cluster --try``: what numbers of clusters, or distances, would bring. Nothing is kept."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookalike.cli.console import print_json, save_picture, say, step_progress
from lookalike.cluster.algorithms import DEFAULT_ALGORITHM, algorithms_that_take, get_algorithm
from lookalike.errors import InvalidInputError
from lookalike.system.wording import count_images

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lookalike.cluster import Choice, KDistances
    from lookalike.collection import Collection

_MOST_OF_RANGE = 12  # numbers that a range such as 2-100 stands for
_SHARES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9)  # of the images, that are core images at a distance tried


@dataclass(frozen=True, slots=True)
class Trial:
    """What the user asked to be tried, in the words of the command's options.

    Attributes
    ----------
    algorithm : str
    k : str or None
        Numbers and ranges, as `read_ks` reads them.
    min_samples, model, random_state
        As they were given.
    place : Path or None
        Of the collection, if it was named.
    """

    algorithm: str
    k: str | None
    min_samples: int | None
    model: str | None
    random_state: int | None
    place: Path | None

    def check(self) -> None:
        """Raise InvalidInputError if there is nothing to be tried for that algorithm."""
        takes = get_algorithm(self.algorithm).takes
        if "k" not in takes and "eps" not in takes:
            raise InvalidInputError(
                f"--try chooses a number of clusters or a distance, and {self.algorithm} takes neither;"
                f" expected one of {', '.join(algorithms_that_take(['k', 'eps']))}"
            )
        if self.k is not None:
            if "k" not in takes:
                raise InvalidInputError(f"-k is {self.k!r}, but {self.algorithm} finds the number itself")
            if len(read_ks(self.k)) == 1:
                raise InvalidInputError(
                    f"-k is {self.k}, which leaves nothing to choose; expected several, such as 5,10,20 or"
                    " 2-100"
                )
        if self.min_samples is not None and "min_samples" not in takes:
            others = " and ".join(algorithms_that_take(["min_samples"]))
            raise InvalidInputError(f"--min-samples is for {others}, not for {self.algorithm}")

    def command(self, option: str, value: str) -> str:
        """Return the command that makes clusters as this trial suggests."""
        given: dict[str, object] = {
            "-c": self.place,
            "--algorithm": None if self.algorithm == DEFAULT_ALGORITHM else self.algorithm,
            option: value,
            "--min-samples": self.min_samples,
            "--model": self.model,
            "--random-state": self.random_state,
        }
        words = [word for name, each in given.items() if each is not None for word in (name, str(each))]
        return shlex.join(["lookalike", "cluster", *words])


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


def show_trial(
    trial: Trial, collection: Collection, plot: Path | None, dark: bool, json: bool, quiet: bool
) -> None:
    """Try, print what was found, and draw it if there is a file to draw to."""
    with step_progress(quiet=quiet or json) as report:
        if "k" in get_algorithm(trial.algorithm).takes:
            choice = collection.try_ks(
                None if trial.k is None else read_ks(trial.k),
                model=trial.model,
                random_state=trial.random_state or 0,
                report=report,
            )
            document, rows, go_on = _of_ks(trial, choice)
            basis = f"tried with kmeans on {count_images(choice.n_rows)}"
            if choice.n_rows < choice.n_given:
                basis += f", a sample of {choice.n_given:,}"
        else:
            found = collection.try_distances(trial.min_samples, model=trial.model, report=report)
            document, rows, go_on = _of_distances(trial, found)
            basis = (
                f"{count_images(len(found.distances))}; a core image has {found.min_samples}, itself"
                " counted, within the distance"
            )
    model = trial.model or collection.model
    if plot is not None:
        from lookalike.plots import distance_curve, k_curves

        if "k" in get_algorithm(trial.algorithm).takes:

            def draw() -> Figure:
                return k_curves(
                    choice.ks, choice.inertias, choice.silhouettes, choice.suggested, choice.reason
                )
        else:
            unit = "cosine distance" if found.metric == "cosine" else "euclidean distance"
            title = f"{count_images(len(found.distances))}, {model}"

            def draw() -> Figure:
                return distance_curve(found.distances, found.min_samples, found.eps, unit, title)

        save_picture(draw, plot, dark)
    if json:
        print_json({"algorithm": trial.algorithm, "model": model, **document, "command": go_on})
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [f"{cell:>{width}}" for cell, width in zip(row[:-1], widths, strict=False)]
        say("  ".join([*cells, row[-1]]).rstrip())
    if not quiet:
        say(f"{basis}; {model}")
        say(f"nothing was kept; to go on: {go_on}")


def _of_ks(trial: Trial, choice: Choice) -> tuple[dict[str, Any], list[Sequence[str]], str]:
    """Return the document, the table, and the command to go on with."""
    each = list(zip(choice.ks, choice.inertias, choice.silhouettes, choice.seconds, strict=True))
    document = {
        "images": choice.n_given,
        "tried_images": choice.n_rows,
        "tried": [
            {
                "k": k,
                "inertia": inertia,
                "silhouette": None if silhouette != silhouette else round(silhouette, 6),  # NaN
                "seconds": round(seconds, 3),
            }
            for k, inertia, silhouette, seconds in each
        ],
        "suggested": choice.suggested,
        "reason": choice.reason,
    }
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
    return document, rows, trial.command("-k", str(choice.suggested))


def _of_distances(trial: Trial, found: KDistances) -> tuple[dict[str, Any], list[Sequence[str]], str]:
    n = len(found.distances)
    suggested, knee = _short(found.eps), _short(found.knee)
    on_curve = {_short(float(found.distances[min(round(share * n), n - 1)])) for share in _SHARES}
    each = [found.at(eps) for eps in sorted({*on_curve, suggested, knee}) if eps > 0]
    document = {
        "images": n,
        "min_samples": found.min_samples,
        "tried": [
            {"eps": at.eps, "core_images": at.n_core, "clusters": at.n_clusters, "largest": at.n_largest}
            for at in each
        ],
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
    return document, rows, trial.command("--eps", f"{suggested:g}")


def _short(eps: float) -> float:
    """Return a distance as it is printed, and may be given back."""
    return float(f"{eps:.4g}")
