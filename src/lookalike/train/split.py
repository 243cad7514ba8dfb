"""Which images are learned from, which decide when to stop, and which are kept for the last measurement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.errors import CollectionConflictError, InvalidInputError
from lookalike.hints import Hint
from lookalike.train.shares import check_share

Rows = npt.NDArray[np.int64]

FEWEST_IMAGES = 20
"""With fewer images an autoencoder has nothing to learn from, and nothing to tell whether it did."""


@dataclass(frozen=True, slots=True)
class Split:
    """Three parts of some images; no image is in two.

    Attributes
    ----------
    train : (n_train,) int64
        Rows that the network learns from.
    validation : (n_validation,) int64
        Rows whose loss decides when training stops and which weights are kept.
    test : (n_test,) int64
        Rows that are not looked at before all that is settled.
    """

    train: Rows
    validation: Rows
    test: Rows

    def parts(self) -> dict[str, Rows]:
        """Return the parts by their names."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


def split_images(n: int, is_test: npt.NDArray[np.bool_] | None, held_out: float, random_state: int) -> Split:
    """Split images without labels: a share is held out, to tell when to stop.

    Parameters
    ----------
    n : int
        How many images there are.
    is_test : (n,) bool or None
        Those that must not be learned from: a data set's test split.
    held_out : float
        Which share of the others is held out.
    random_state : int

    Raises
    ------
    InvalidInputError
        If the share is not between 0 and 1.
    CollectionError
        If there are too few images.
    """
    check_share("held-out", held_out)
    test = np.zeros(n, bool) if is_test is None else is_test
    rows = np.flatnonzero(~test)
    if len(rows) < FEWEST_IMAGES:
        raise CollectionConflictError(
            f"there are {len(rows)} images to learn from; expected at least {FEWEST_IMAGES}",
            hint="index more, or search with a model that is trained already",
        )
    rows = np.random.default_rng((random_state, 0)).permutation(rows)
    n_held_out = min(max(1, round(held_out * len(rows))), len(rows) - 2)
    return Split(np.sort(rows[n_held_out:]), np.sort(rows[:n_held_out]), np.flatnonzero(test))


def split_labelled(
    labels: Sequence[str],
    is_test: npt.NDArray[np.bool_] | None,
    test: float,
    per_class: int | None,
    validation: float,
    random_state: int,
) -> Split:
    """Split labelled images, class by class.

    Parameters
    ----------
    labels : sequence of str
    is_test : (n,) bool or None
        A data set's own test split. Where there is one, it is the test part, and no other is drawn.
    test : float
        The share of each class that is drawn for the test.
    per_class : int, optional
        Instead: so many images of each class to learn from, validation included, and the rest for the test.
        A class that has no more keeps one for the test.
    validation : float
        The share of what is left that decides when to stop; 0 for none.
    random_state : int

    Returns
    -------
    Split
        Each class has an image at least in train and test; in validation, where its share is half an image
        or more and one is left to learn from.

    Raises
    ------
    InvalidInputError
        If a share is not between 0 and 1, or `per_class` below 1.
    CollectionError
        If there is only one class, or one has too few images.
    """
    check_share("test", test)
    check_share("validation", validation, or_none=True)
    if per_class is not None and per_class < 1:
        raise InvalidInputError(
            f"there are to be {per_class} images a class to learn from; expected 1 or more"
        )
    names, classes = np.unique(np.asarray(labels, str), return_inverse=True)
    if len(names) < 2:
        raise CollectionConflictError(
            f"all {len(labels):,} images have the label {str(names[0])!r}; expected two classes or more to"
            " tell apart"
            if len(names)
            else "no image has a label; expected two classes or more to tell apart"
        )
    own_test = np.zeros(len(classes), bool) if is_test is None else is_test
    counts = np.bincount(classes, minlength=len(names))
    alone = names[counts < 2]
    if len(alone):
        raise CollectionConflictError(
            f"{_listed(alone)} only one image; expected at least 2 in each class, one to learn from and one"
            " to test with",
            hint=Hint("leave_classes_out"),
        )
    random = np.random.default_rng((random_state, 0))
    parts: dict[str, list[Rows]] = {"train": [], "validation": [], "test": []}
    for number, name in enumerate(names):
        rows = np.flatnonzero(classes == number)
        if own_test.any():
            tested, rows = rows[own_test[rows]], random.permutation(rows[~own_test[rows]])
            if not len(rows):
                raise CollectionConflictError(
                    f"all images of {str(name)!r} are of the test split; expected some to learn from"
                )
            rows = rows[:per_class]
        else:
            rows = random.permutation(rows)
            wanted = len(rows) - per_class if per_class is not None else round(test * len(rows))
            n_test = min(max(1, wanted), len(rows) - 1)
            tested, rows = rows[:n_test], rows[n_test:]
        n_validation = min(round(validation * len(rows)), len(rows) - 1)
        parts["test"].append(tested)
        parts["validation"].append(rows[:n_validation])
        parts["train"].append(rows[n_validation:])
    return Split(**{part: np.sort(np.concatenate(rows)) for part, rows in parts.items()})


def _listed(names: npt.NDArray[np.str_]) -> str:
    some = ", ".join(repr(str(name)) for name in names[:3])
    if len(names) == 1:
        return f"the class {some} has"
    return f"{len(names):,} classes ({some}{', …' if len(names) > 3 else ''}) have"
