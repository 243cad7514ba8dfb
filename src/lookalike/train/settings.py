"""What is asked of a training.

Nothing heavy is imported here: the command line reads its defaults from these classes, see `defaults`.
"""

from __future__ import annotations

import dataclasses
import math
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

from lookalike.errors import InvalidInputError
from lookalike.system.chance import RANDOM_STATE
from lookalike.system.checked_calls import checked_fields, shown
from lookalike.system.cores import usable_cores
from lookalike.train.base_networks import BASE_NETWORKS, DEFAULT_BASE, get_base_network
from lookalike.train.device import AUTO, check_device_name
from lookalike.train.loss_functions import DEFAULT_LOSS, get_loss_function
from lookalike.train.shares import check_share, is_number

if TYPE_CHECKING:
    from lookalike.types import Metric

FROZEN_EPOCHS = 2
"""In how many of the first epochs only the last stages learn, where there are so many."""


@checked_fields
@dataclass(frozen=True, slots=True)
class Running:
    """How a training is run, which has no say in what comes of it but for rounding.

    Attributes
    ----------
    device : str
        ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
    jobs : int
        Threads that decode, and that a network on the processor uses.
    restart : bool
        Begin again, whatever there is of an earlier run.
    checkpoint_seconds : float
        How much work a kill may lose.
    """

    device: str = AUTO
    jobs: int = field(default_factory=usable_cores)
    restart: bool = False
    checkpoint_seconds: float = 60.0

    def __post_init__(self) -> None:
        check_device_name(self.device)
        _check_count("jobs", self.jobs)
        if not is_number(self.checkpoint_seconds) or not self.checkpoint_seconds >= 0:
            raise InvalidInputError(
                f"checkpoint_seconds is {shown(self.checkpoint_seconds)}; expected 0 or more",
                field="checkpoint_seconds",
            )


@checked_fields
@dataclass(frozen=True, slots=True, kw_only=True)
class AutoencoderSettings:
    """What an autoencoder is to be.

    Attributes
    ----------
    name : str
        Its model is called ``autoencoder-<name>``.
    dimension : int
        Numbers in a code.
    metric : {"cosine", "euclidean"}
        How codes are compared. Cosine found more of the right digits and clothes; with two or three numbers
        a code, there is too little direction for it.
    size : int, optional
        Side of what it sees, pixels; read off the images by default.
    epochs : int
        At most.
    batch_size : int, optional
        Chosen by the size and number of the images by default.
    learning_rate : float
    patience : int
        Stop after so many epochs without a lower held-out loss.
    held_out : float
        Share of the images that is never learned from.
    random_state : int
    """

    name: str
    dimension: int = 32
    metric: Metric = "cosine"
    size: int | None = None
    epochs: int = 50
    batch_size: int | None = None
    learning_rate: float = 2e-3
    patience: int = 5
    held_out: float = 0.1
    random_state: int = RANDOM_STATE

    def __post_init__(self) -> None:
        from lookalike.types import Metric

        check_name(self.name)
        if self.metric not in get_args(Metric):
            raise InvalidInputError(
                f"the metric is {shown(self.metric)}; expected one of {', '.join(get_args(Metric))}",
                field="metric",
            )
        for name in ("dimension", "epochs", "patience"):
            _check_count(name, getattr(self, name))
        for name in ("size", "batch_size"):
            if getattr(self, name) is not None:
                _check_count(name, getattr(self, name))
        _check_rate(self.learning_rate)
        check_share("held-out", self.held_out)
        _check_seed(self.random_state)

    @property
    def model_name(self) -> str:
        """What its model is called."""
        return f"autoencoder-{self.name}"


@checked_fields
@dataclass(frozen=True, slots=True, kw_only=True)
class FinetuneSettings:
    """What a fine-tuned network is to be.

    Attributes
    ----------
    name : str
        Its model is called ``<base>-<name>``.
    base : {"lite0", "lite1", "lite2", "resnet50"}
        The network that is gone on with.
    weights : path, optional
        A safetensors file of resnet50's weights; those that are published by default.
    loss : {"normalised-softmax", "contrastive", "cross-entropy"}
    size : int, optional
        Side of what it sees, pixels; that of the base by default.
    epochs : int
    frozen_epochs : int, optional
        How many of them only the last stages learn in; two by default, or all if there are no more. See
        `n_frozen_epochs`.
    batch_size : int
    learning_rate : float
        Of the network; that of the loss's own weights is ten times as high.
    patience : int
    balance : float
        0 shows every image equally often, 1 every class; see `order.balanced`.
    test, per_class, validation
        How the images are split; see `split.split_labelled`.
    min_images : int
        Classes of fewer images are left out.
    random_state : int
    """

    name: str
    base: str = DEFAULT_BASE
    weights: str | os.PathLike[str] | None = None
    loss: str = DEFAULT_LOSS
    size: int | None = None
    epochs: int = 20
    frozen_epochs: int | None = None
    batch_size: int = 32
    learning_rate: float = 5e-4
    patience: int = 4
    balance: float = 0.5
    test: float = 0.2
    per_class: int | None = None
    validation: float = 0.1
    min_images: int = 1
    random_state: int = RANDOM_STATE

    def __post_init__(self) -> None:
        check_name(self.name)
        base = get_base_network(self.base)
        if self.weights is not None and not base.reads_files:
            raise InvalidInputError(
                f"weights are given for {self.base}, which has its own; a file of them is taken for"
                f" {', '.join(row.name for row in BASE_NETWORKS if row.reads_files)}"
            )
        get_loss_function(self.loss)
        for name in ("epochs", "batch_size", "patience", "min_images"):
            _check_count(name, getattr(self, name))
        for name in ("size", "per_class"):
            if getattr(self, name) is not None:
                _check_count(name, getattr(self, name))
        if self.weights is not None and not isinstance(self.weights, str | os.PathLike):
            raise InvalidInputError(
                f"weights is {shown(self.weights)}; expected the path of a safetensors file", field="weights"
            )
        if self.size is not None and not 32 <= self.size <= 1024:
            raise InvalidInputError(
                f"the size is {shown(self.size)}; expected pixels a side, 32 to 1,024", field="size"
            )
        if not _is_whole(self.n_frozen_epochs) or not 0 <= self.n_frozen_epochs <= self.epochs:
            raise InvalidInputError(
                f"the network is frozen for {self.frozen_epochs} epochs; expected 0 to"
                f" {self.epochs}, all of them"
            )
        if not is_number(self.balance) or not 0 <= self.balance <= 1:
            raise InvalidInputError(
                f"the balance is {shown(self.balance)}; expected a number from 0 to 1", field="balance"
            )
        _check_rate(self.learning_rate)
        check_share("test", self.test)
        check_share("validation", self.validation, or_none=True)
        _check_seed(self.random_state)

    @property
    def model_name(self) -> str:
        """What its model is called."""
        return f"{self.base}-{self.name}"

    @property
    def n_frozen_epochs(self) -> int:
        """In how many epochs only the last stages learn."""
        return min(FROZEN_EPOCHS, self.epochs) if self.frozen_epochs is None else self.frozen_epochs


def defaults(settings: type) -> dict[str, Any]:
    """Return what each setting is where it is not given; those that have to be given are not in it.

    Parameters
    ----------
    settings : type
        `AutoencoderSettings`, `FinetuneSettings` or `Running`.

    Examples
    --------
    >>> defaults(FinetuneSettings)["epochs"], "name" in defaults(FinetuneSettings)
    (20, False)
    """
    return {
        each.name: each.default
        for each in dataclasses.fields(settings)
        if each.default is not dataclasses.MISSING
    }


def check_name(name: str) -> None:
    """Raise InvalidInputError unless a model may be called so."""
    # As a file's name on every system, and in no way like that of a reduced model.
    if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", name):
        raise InvalidInputError(
            f"the name is {shown(name)}; expected up to 40 small letters, digits, - and _, a letter or digit"
            " first",
            field="name",
        )


def _check_count(name: str, value: int) -> None:
    if not _is_whole(value) or value < 1:
        raise InvalidInputError(f"{name} is {shown(value)}; expected a whole number, 1 or more", field=name)


def _check_seed(value: int) -> None:
    if not _is_whole(value) or value < 0:
        raise InvalidInputError(
            f"random_state is {shown(value)}; expected a whole number, 0 or more", field="random_state"
        )


def _check_rate(value: float) -> None:
    if not is_number(value) or not 0 < value < math.inf:
        raise InvalidInputError(
            f"the learning rate is {shown(value)}; expected a number above 0", field="learning_rate"
        )


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
