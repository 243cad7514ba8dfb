"""The networks that can be fine-tuned, as a table. To add one, add a row."""

from __future__ import annotations

from dataclasses import dataclass

from lookalike.system.rows import find_row, names_of


@dataclass(frozen=True, slots=True)
class BaseNetwork:
    """A network to go on with.

    Attributes
    ----------
    name : str
        That of a model of `lookalike.embed.MODELS`.
    implementation : str
        ``module:class``, which keeps the contract of `bases.Base`.
    reads_files : bool
        Whether its weights may come from a file of the user's.
    """

    name: str
    implementation: str
    reads_files: bool = False


_LITE = "lookalike.train.bases:EfficientNetLiteBase"

BASE_NETWORKS: tuple[BaseNetwork, ...] = (
    BaseNetwork("lite0", _LITE),
    BaseNetwork("lite1", _LITE),
    BaseNetwork("lite2", _LITE),
    BaseNetwork("resnet50", "lookalike.train.bases:ResNetBase", reads_files=True),
)
"""The usual one first."""

DEFAULT_BASE = BASE_NETWORKS[0].name
"""The network to go on with where none is named."""


def base_names() -> tuple[str, ...]:
    """Return the names of all networks that can be fine-tuned, the usual one first."""
    return names_of(BASE_NETWORKS)


def get_base_network(name: str) -> BaseNetwork:
    """Return the row of a network.

    Raises
    ------
    InvalidInputError
        If there is none of that name.
    """
    return find_row(BASE_NETWORKS, name, f"the base is {name!r}")
