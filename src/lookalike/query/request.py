"""A search as one value: what is like it, what is not, among which images, by what; with its JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from lookalike.embed.local import is_path
from lookalike.errors import InvalidInputError
from lookalike.index.contract import DEFAULT_RECALL, check_recall
from lookalike.index.kinds import AUTO, check_request
from lookalike.query.appearance import read_color
from lookalike.query.checking import check_count, check_document, check_list, check_switch, is_number
from lookalike.query.conditions import ClusterRef
from lookalike.query.filter import ANYTHING, Filter
from lookalike.query.query_string import read_query_string, write_query_string
from lookalike.query.sorts import check_sort
from lookalike.query.terms import Term, Vector, Words
from lookalike.system.checked_calls import checked, shown
from lookalike.system.short_reprs import repr_of_given


@checked
@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """A search, checked, that can be kept, sent, and asked of any collection; see `Collection.search`.

    Attributes
    ----------
    like : sequence of Term
        What is searched for; several make one query, their mean by weight.
    unlike : sequence of Term
        What is not wanted. The mean weight of these against that of what is wanted says how hard it pushes.
    colors : sequence of str
        CSS colours; all must be there. Kept as ``#rrggbb``.
    where : Filter
        Which images may be hits.
    same_cluster : ClusterRef, optional
        The cluster that hits must be in.
    model : str, optional
        Which of the collection's models; its own by default.
    index : str
        Which kind of index answers, or "auto".
    recall : float
        The share of the true neighbours that may be expected, above 0; 1 is proved.
    mode : {"leaf", "bbf", "exact"}, optional
        How to ask a KD-tree.
    k : int or None
        How many images to return; None, where images are listed without a query, for all.
    include_self : bool
        Whether a query that is in the collection may be a hit.
    fold : bool
        Whether copies of a hit are folded into it, see `Collection.search`; not where images are listed.
    min_probability : float, optional
        How likely a hit is to be of the query's kind, at least, 0 to 1; see `SearchResult.probabilities`.
    min_score : float, optional
        The least score of a hit: a cosine, -1 to 1.
    same_kind : bool
        Whether images of the query's kind are sought, see `Collection.search`; not where images are listed.
    verify : bool
        Whether the nearest are laid on the query, which is one picture, see `Collection.search`.
    sort : str, optional
        By what to list images, where there is neither a query nor a colour: path, date, label, size,
        sharpness, color, rating, central, random, or ``field:NAME``; see `Collection.browse`. What a query
        or a colour finds comes nearest first, and is not sorted.
    descending : bool
        Whether to list them the other way round.
    random_state : int
        What a random order comes from.

    Raises
    ------
    InvalidInputError
        If no collection could answer it.

    Examples
    --------
    >>> from lookalike import Words
    >>> request = SearchRequest(like=[Words("a red car")], where=Filter(min_size=600), k=3)
    >>> SearchRequest.from_dict(request.to_dict()) == request
    True
    """

    like: Sequence[Term] = ()
    unlike: Sequence[Term] = ()
    colors: Sequence[str] = ()
    where: Filter = ANYTHING
    same_cluster: ClusterRef | None = None
    model: str | None = None
    index: str = AUTO
    recall: float = DEFAULT_RECALL
    mode: str | None = None
    k: int | None = 10
    include_self: bool = False
    fold: bool = False
    min_probability: float | None = None
    min_score: float | None = None
    same_kind: bool = False
    verify: bool = False
    sort: str | None = None
    descending: bool = False
    random_state: int = 0

    def __repr__(self) -> str:
        return repr_of_given(self)

    def __post_init__(self) -> None:
        for name in ("like", "unlike"):
            object.__setattr__(self, name, _check_terms(name, getattr(self, name)))
        object.__setattr__(self, "colors", tuple(map(read_color, check_list("colors", self.colors))))
        self._check_order()
        check_request(self.index, self.mode)
        if not isinstance(self.where, Filter):
            raise InvalidInputError(
                f"where is {shown(self.where)}; expected a lookalike.Filter", field="where"
            )
        if self.same_cluster is not None and not isinstance(self.same_cluster, ClusterRef):
            raise InvalidInputError(
                f"same_cluster is {shown(self.same_cluster)}; expected a lookalike.ClusterRef",
                field="same_cluster",
            )
        if self.model is not None and not isinstance(self.model, str):
            raise InvalidInputError(
                f"model is {shown(self.model)}; expected its name, or the path of an ONNX file", field="model"
            )
        checked = {
            "recall": check_recall(self.recall),
            "k": None if self.k is None else int(self.k),
            "include_self": check_switch("include_self", self.include_self),
            "fold": check_switch("fold", self.fold),
            "min_probability": _check_least("min_probability", self.min_probability, 0),
            "min_score": _check_least("min_score", self.min_score, -1),
            "same_kind": check_switch("same_kind", self.same_kind),
            "verify": check_switch("verify", self.verify),
            "descending": check_switch("descending", self.descending),
            "random_state": int(self.random_state),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        self._check_same_kind()
        self._check_verify()

    @property
    def is_browse(self) -> bool:
        """Whether it asks for images without a query: they are listed, not searched for."""
        return not self.like and not self.colors

    @property
    def n_hits(self) -> int:
        """How many images to return: `k`, which a search has."""
        if self.k is None:
            raise InvalidInputError("k is None; expected a whole number, 1 or more", field="k")
        return self.k

    def _check_same_kind(self) -> None:
        """Raise InvalidInputError if what is asked of an index is asked where all images are looked at."""
        if self.same_kind and (self.index not in (AUTO, "exact") or self.mode is not None):
            raise InvalidInputError(
                f"index is {shown(self.index)}, but all images are looked at where a kind is sought",
                field="index",
                hint="leave out the index, or same_kind",
            )

    def _check_verify(self) -> None:
        """Raise InvalidInputError if there is more than one picture that others could be laid on, or none."""
        others = [
            *self.like[1:],
            *self.unlike,
            *(each for each in self.like if isinstance(each, Words | Vector)),
        ]
        if self.verify and others:
            raise InvalidInputError(
                "verify lays the nearest on the query; expected one picture, and nothing else", field="verify"
            )

    def _check_order(self) -> None:
        """Raise InvalidInputError unless images can be listed so, and are to be listed."""
        check_sort(self.sort)
        check_switch("descending", self.descending)
        check_count("random_state", self.random_state, least=0)
        if self.k is not None:
            check_count("k", self.k)
        if self.is_browse:
            return
        if self.k is None:
            raise InvalidInputError("k is None; expected a whole number, 1 or more, for a search", field="k")
        for name, is_asked in (("sort", self.sort is not None), ("descending", self.descending)):
            if is_asked:
                raise InvalidInputError(
                    f"{name} is {getattr(self, name)!r}, but what a query finds comes nearest first",
                    field=name,
                    hint="leave out either the query or the order",
                )

    def to_dict(self) -> dict[str, Any]:
        """Return it as a document of JSON, with all its fields."""
        document = {each.name: getattr(self, each.name) for each in fields(self)}
        return document | {
            "like": [term.to_dict() for term in self.like],
            "unlike": [term.to_dict() for term in self.unlike],
            "colors": list(self.colors),
            "where": self.where.to_dict(),
            "same_cluster": None if self.same_cluster is None else self.same_cluster.to_dict(),
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any], *, is_local: bool = True) -> SearchRequest:
        """Make a request of a document of JSON, as `to_dict` writes it; what is left out is as by default.

        Parameters
        ----------
        document : mapping
        is_local : bool
            Whether who wrote it may name files of this machine, a model's, too, and hand over pixels: not,
            where it came over a network.

        Raises
        ------
        InvalidInputError
            If it is none; its `field` says what is wrong.

        Examples
        --------
        >>> SearchRequest.from_dict({"like": [{"file": "/etc/passwd"}]}, is_local=False)
        Traceback (most recent call last):
        ...
        lookalike.errors.InvalidInputError: a query by file is for the machine that the collection is on; ...
        """
        given = dict(check_document("a search", document, [each.name for each in fields(cls)]))
        for name in ("like", "unlike"):
            if name in given:
                given[name] = [
                    Term.from_dict(each, is_local=is_local) for each in check_list(name, given[name])
                ]
        model = given.get("model")
        if not is_local and isinstance(model, str) and is_path(model):
            raise InvalidInputError(f"model is {shown(model)}; expected the name of a model", field="model")
        given["where"] = Filter.from_dict(given.get("where", {}))
        if given.get("same_cluster") is not None:
            given["same_cluster"] = ClusterRef.from_dict(given["same_cluster"])
        return cls(**given)

    def to_query_string(self) -> str:
        """Return it as the query string of a URL, without what is as by default.

        Examples
        --------
        >>> from lookalike import ImageRef
        >>> where = Filter(labels=["cats", "dogs"])
        >>> SearchRequest(like=[ImageRef(255, weight=2)], where=where).to_query_string()
        'like=id*2:00000000000000ff&labels=cats&labels=dogs'
        """
        return write_query_string(self.to_dict(), SearchRequest().to_dict())

    @classmethod
    def from_query_string(cls, text: str, *, is_local: bool = True) -> SearchRequest:
        """Make a request of the query string of a URL, as `to_query_string` writes it.

        Parameters
        ----------
        text : str
        is_local : bool
            As of `from_dict`.

        Raises
        ------
        InvalidInputError
            If it is none; its `field` says what is wrong.

        Examples
        --------
        >>> SearchRequest.from_query_string("like=words:a+red+car&k=3").like
        (Words(weight=1.0, words='a red car'),)
        """
        return cls.from_dict(read_query_string(text, SearchRequest().to_dict()), is_local=is_local)


def _check_least(name: str, value: Any, least: int) -> float | None:
    """Return the least that a hit is to have, from such a number to 1."""
    if value is None:
        return None
    if not is_number(value) or not least <= value <= 1:
        raise InvalidInputError(f"{name} is {shown(value)}; expected a number from {least} to 1", field=name)
    return float(value)


def _check_terms(name: str, terms: object) -> tuple[Term, ...]:
    found = check_list(name, terms)
    for term in found:
        if not isinstance(term, Term):
            raise InvalidInputError(
                f"{name} has {shown(term)}; expected one of the kinds of query, such as"
                " lookalike.ImageFile(…)",
                field=name,
            )
    return tuple(found)
