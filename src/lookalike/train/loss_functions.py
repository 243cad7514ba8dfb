"""What a network can be fine-tuned by, as a table. To add one, add a row, and its class to `losses`."""

from __future__ import annotations

from dataclasses import dataclass

from lookalike.system.rows import find_row, names_of


@dataclass(frozen=True, slots=True)
class LossFunction:
    """One loss.

    Attributes
    ----------
    name : str
    implementation : str
        ``module:class`` of torch's module, made with the features' dimension and the number of classes.
    compares_images : bool
        Whether it compares the images of a batch with each other: it needs classes of two images or more, and
        batches in which several of a class come together.
    """

    name: str
    implementation: str
    compares_images: bool = False


LOSS_FUNCTIONS: tuple[LossFunction, ...] = (
    LossFunction("normalised-softmax", "lookalike.train.losses:NormalisedSoftmax"),
    LossFunction("contrastive", "lookalike.train.losses:SupervisedContrastive", compares_images=True),
    LossFunction("cross-entropy", "lookalike.train.losses:CrossEntropy"),
)
"""The usual one first."""

DEFAULT_LOSS = LOSS_FUNCTIONS[0].name
"""The loss where none is named."""


def loss_names() -> tuple[str, ...]:
    """Return the names of all losses, the usual one first."""
    return names_of(LOSS_FUNCTIONS)


def get_loss_function(name: str) -> LossFunction:
    """Return the row of a loss.

    Raises
    ------
    InvalidInputError
        If there is none of that name.
    """
    return find_row(LOSS_FUNCTIONS, name, f"the loss is {name!r}")
