"""What is matched with another, one to one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.collection.asking import as_filter
from lookalike.collection.matching import Side, match_sides
from lookalike.query.filter import Filter
from lookalike.results.matching import Matching
from lookalike.system.checked_calls import checked
from lookalike.system.progress import CancelToken, ProgressReport
from lookalike.system.watching import watching

if TYPE_CHECKING:
    from lookalike.collection.resources import Resources


@checked
class Matchable(ABC):
    """A collection whose images can be matched with others.

    Attributes
    ----------
    folder : Path
        The ``.lookalike`` folder.
    """

    folder: Path

    @abstractmethod
    def _resources(self) -> Resources:
        """Return what every read needs, with the roots as they are now: once a request."""

    def match(
        self,
        other: Matchable | None = None,
        *,
        where: Filter | None = None,
        other_where: Filter | None = None,
        model: str | None = None,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> Matching:
        """Match images one to one: each with its counterpart in another collection, or on another side of it.

        Of all that is still alone, the pair comes first whose cosine is highest beyond what either is to its
        ten nearest on the other side, so that an image that is near to everything takes nobody's place.

        Parameters
        ----------
        other : Collection, optional
            Whose images are matched with those of this one; by default this one itself, of which `where` and
            `other_where` name two sides that share no file.
        where, other_where : Filter, optional
            Which images are meant; all by default.
        model : str, optional
            That both have; by default the own one of this collection, or of the other.
        report, cancel : optional
            Who is told how far it has come, and may stop it; see `Collection.sync`.

        Returns
        -------
        Matching
            As many pairs as the smaller side has images, the surest first.

        Raises
        ------
        InvalidInputError
            If a side has no image, a file is on both, or the model's vectors are not compared by cosine.
        CollectionError
            If a collection has no vectors of the model.
        ModelError
            If there is no such model, or that of the one collection is not that of the other.
        TooLittleMemoryError
            If the cosines of all pairs do not fit into memory.

        Examples
        --------
        >>> from lookalike import Collection, Filter
        >>> photos = Collection.create(photo_folder)
        >>> report = photos.sync()
        >>> first, *others = (image.id for image in photos)
        >>> found = photos.match(where=Filter(ids=[first]), other_where=Filter(ids=others))
        >>> len(found), found[0].is_mutual
        (1, True)
        """
        its = self if other is None else other
        resources = self._resources()
        others = resources if its.folder == self.folder else its._resources()
        sides = Side(resources, as_filter(where)), Side(others, as_filter(other_where))
        with watching(report, cancel) as watch:
            return match_sides(*sides, model, others is resources, watch)
