"""All that was said, change by change, as users have it in hand."""

from __future__ import annotations

from lookalike.collection.faces import Face
from lookalike.collection.resources import Opener
from lookalike.query.checking import check_count
from lookalike.results.said import Change
from lookalike.system.checked_calls import checked


@checked
class Changes(Face):
    """The changes of what people said, each of which can be undone: `Collection.changes`.

    Examples
    --------
    >>> photos = Collection.create(photo_folder)
    >>> report = photos.sync()
    >>> made = photos.labels.give([photo_folder / "stripes.png"], "fabric")
    >>> undone = photos.changes.undo()
    >>> [(each.number, each.words) for each in photos.changes.list()]
    [(2, '1 image not labelled any more'), (1, '1 image labelled fabric')]
    >>> photos.changes.undo(undone.number).words  # which does it again
    '1 image labelled fabric'
    """

    def __init__(self, resources: Opener) -> None:
        self._resources = resources

    def list(self, last: int | None = None) -> tuple[Change, ...]:
        """Return the changes, the newest first; all, or only so many of the last."""
        if last is not None:
            check_count("last", last)
        return tuple(self._resources().snapshots.journal.changes(last))

    def undo(self, number: int | None = None) -> Change:
        """Take a change back. That is a change, too: who undoes it does the first again.

        Parameters
        ----------
        number : int, optional
            By default the last change that was not undone, and undoes none.

        Raises
        ------
        CollectionNotFoundError
            If there is no such change.
        CollectionConflictError
            If it was undone already; or if a later one, which was not undone, is about the same: the label of
            the same image, its place in the same set, the same hit or pair.
        """
        if number is not None:
            check_count("number", number)
        return self._resources().snapshots.journal.undo(number)
