"""Decisions on pairs of pictures that may be one, as users have them in hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from lookalike.collection.faces import Face
from lookalike.collection.places import Places
from lookalike.collection.resources import Opener
from lookalike.collection.statements.draft import Draft
from lookalike.collection.statements.naming import ImageName, read_pair
from lookalike.collection.stored.edits import Decided, PairKey
from lookalike.errors import CollectionNotFoundError, InvalidInputError
from lookalike.results.said import Change, Decision, PairDecision
from lookalike.system.checked_calls import checked, shown


@checked
class Decisions(Face):
    """What people decided of pairs of pictures: `Collection.decisions`.

    A pair are two images, or two places of one image. There is one decision on each; a later one stands in
    its place. Each call is one change, on the disk when it returns; one that changes nothing returns None.

    Examples
    --------
    >>> photos = Collection.create(photo_folder)
    >>> report = photos.sync()
    >>> pair = photo_folder / "stripes.png", photo_folder / "stripes-brighter.png"
    >>> change = photos.decisions.decide(*pair, "not_duplicate")
    >>> [each.decision for each in photos.decisions.list()]
    ['not_duplicate']
    """

    def __init__(self, resources: Opener) -> None:
        self._resources = resources

    def decide(self, a: ImageName, b: ImageName, decision: PairDecision) -> Change | None:
        """Decide on a pair.

        Parameters
        ----------
        a, b : id, path or hit
            Two images, or two paths of one image.
        decision : {"keep", "remove", "not_duplicate", "alternates"}
            Keep `a` rather than `b`; remove `a`, and keep `b`; they are no duplicates; both are wanted.

        Raises
        ------
        InvalidInputError
            If both are the same, or there is no such decision.
        QueryError
            If a path is that of no image.
        """
        return self.decide_all([Decision(a, b, decision)])  # type: ignore[arg-type]  # read below

    def decide_all(self, decisions: Iterable[Decision]) -> Change | None:
        """Decide on many pairs at once, in one change."""
        resources = self._resources()
        wanted = [kept(resources.places, each) for each in decisions]

        def make(draft: Draft) -> None:
            for key, decided in wanted:
                draft.decide(key, decided)

        return resources.change("decisions", make)

    def withdraw(self, a: ImageName, b: ImageName) -> Change | None:
        """Take back the decision on a pair.

        Raises
        ------
        CollectionNotFoundError
            If there is none.
        """
        resources = self._resources()
        key, _ = read_pair(resources.places, a, b)

        def make(draft: Draft) -> None:
            if draft.decision(key) is None:
                raise CollectionNotFoundError(f"nothing was decided of {a} and {b}")
            draft.decide(key, None)

        return resources.change("decisions", make)

    def list(self) -> tuple[Decision, ...]:
        """Return what was decided."""
        return tuple(self._resources().places.snapshot.said.decisions)


def check_decision(decision: object) -> str:
    """Return a decision on a pair, checked to be one."""
    expected = get_args(PairDecision)
    if not isinstance(decision, str) or decision not in expected:
        raise InvalidInputError(
            f"decision is {shown(decision)}; expected {', '.join(expected)}", field="decision"
        )
    return str(decision)


def kept(places: Places, decision: Decision) -> tuple[PairKey, Decided]:
    """Return a decision as it is kept."""
    check_decision(decision.decision)
    key, first = read_pair(places, decision.a, decision.b)
    is_about_one = decision.decision in ("keep", "remove")
    return key, Decided(first if is_about_one else key[0], decision.decision)
