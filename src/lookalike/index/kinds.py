"""The kinds of index, as a table: what is known of each without loading it.

The command line's help comes at once, so that nothing here imports NumPy. To add a kind, add a row, and a
file with a class that keeps the contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lookalike.errors import InvalidInputError
from lookalike.system.checked_calls import shown
from lookalike.system.on_demand import load
from lookalike.system.rows import find_row, names_of

if TYPE_CHECKING:
    from lookalike.index.contract import Index

DEFAULT_RECALL = 0.99
"""The share of the true neighbours that an index is asked for, where nobody says otherwise."""

AUTO = "auto"
"""Stands for the kind that is best for so many vectors."""

AUTO_KINDS = ("exact", "kmeans-tree")
"""What that is: the first, and from some number of vectors on the second."""


@dataclass(frozen=True, slots=True)
class IndexKind:
    """One kind of index.

    Attributes
    ----------
    name : str
        What users type; also the `kind` of the class.
    searcher : str
        ``module:class``; an `Index`, or where the store keeps it a `StoredSearcher`, see
        `lookalike.index.contract`.
    title : str
        What it is, in a few words.
    modes : tuple of str
        The ways to ask it in place of what the recall takes, if there are any: its search takes `mode`.
    extra : str
        What has to be installed for it, as in ``pip install 'lookalike[hnsw]'``; empty if nothing.
    is_exact : bool
        Whether it finds all true neighbours, whatever recall it is asked for.
    is_of_store : bool
        Whether the store keeps it in the table of vectors; others have files of their own.
    may_miss : bool
        Whether it may miss true neighbours also where it is asked for a recall of 1.
    """

    name: str
    searcher: str
    title: str
    modes: tuple[str, ...] = ()
    extra: str = ""
    is_exact: bool = False
    is_of_store: bool = False
    may_miss: bool = False

    def load(self) -> Any:
        """Return the class."""
        return load(self.searcher)

    def is_proved(self, recall: float, mode: str | None = None) -> bool:
        """Tell whether an answer at a recall, or in a mode, is known to be the nearest ones.

        >>> [find_kind(name).is_proved(recall=1) for name in ("exact", "kmeans-tree", "hnsw")]
        [True, True, False]
        """
        if self.is_exact or mode is not None:
            return self.is_exact or mode == "exact"
        return recall == 1 and not self.may_miss


KINDS: tuple[IndexKind, ...] = (
    IndexKind("exact", "lookalike.index.exact:Exact", "exact search", is_exact=True),
    IndexKind("kdtree", "lookalike.index.kdtree:KDTree", "KD-tree", modes=("leaf", "bbf", "exact")),
    IndexKind("kmeans-tree", "lookalike.index.kmeans_tree:KMeansTree", "hierarchical k-means tree"),
    IndexKind(
        "annoy", "lookalike.index.annoy:Annoy", "ANNOY, Spotify's forest", extra="annoy", may_miss=True
    ),
    IndexKind("hnsw", "lookalike.index.hnsw:HNSW", "HNSW, hnswlib's graph", extra="hnsw", may_miss=True),
    IndexKind(
        "ivf-rq", "lookalike.index.ivf_rq:IvfRq", "Lance's inverted file of quantised rows", is_of_store=True
    ),
)


def kind_names() -> tuple[str, ...]:
    """Return the names of all kinds."""
    return names_of(KINDS)


def is_kind(name: object) -> bool:
    """Tell whether an index can be asked for by this name; "auto" is one, too."""
    return isinstance(name, str) and (name == AUTO or name in kind_names())


def find_kind(name: str) -> IndexKind:
    """Return the row of a kind.

    Raises
    ------
    InvalidInputError
        If there is none of that name.
    """
    return find_row(KINDS, name, f"there is no index {name!r}")


def load_index(name: str) -> type[Index]:
    """Return the class of a kind that is built of vectors alone, and kept in files of its own.

    Raises
    ------
    InvalidInputError
        If there is no such kind, or the store keeps it.
    """
    row = find_kind(name)
    if row.is_of_store:
        raise InvalidInputError(f"the index {name} is kept by the tables of a collection, and only there")
    found: type[Index] = row.load()
    return found


def check_request(kind: str, mode: str | None) -> None:
    """Raise InvalidInputError unless there is such a kind of index, and it can be asked in such a mode."""
    if not is_kind(kind):
        names = ", ".join((AUTO, *kind_names()))
        raise InvalidInputError(f"there is no index {shown(kind)}; expected one of {names}")
    if mode is not None and (kind == AUTO or not find_kind(kind).modes):
        with_modes = " or ".join(row.name for row in KINDS if row.modes)
        raise InvalidInputError(
            f"mode is {shown(mode)}, but the index {kind} has no modes; name index {with_modes}", field="mode"
        )
