"""The duplicates of a collection, as users have them in hand."""

from __future__ import annotations

import os
from collections.abc import Iterable

from lookalike.collection.duplicates.asked import MIN_PROBABILITY, GroupsRequest, among
from lookalike.collection.duplicates.completing import complete
from lookalike.collection.duplicates.decided import read_decided
from lookalike.collection.duplicates.describing import Describing
from lookalike.collection.duplicates.finding import find, images_there
from lookalike.collection.duplicates.grouping import DuplicatePairs, near_of
from lookalike.collection.duplicates.putting_away import PuttingAway
from lookalike.collection.resources import Opener, Resources
from lookalike.collection.statements.decisions import Decisions
from lookalike.collection.statements.naming import ImageName
from lookalike.results.duplicates import DuplicateGroups, DuplicatesReport
from lookalike.results.said import Change, PairDecision
from lookalike.system.checked_calls import checked
from lookalike.system.progress import CancelToken, ProgressReport, Watch
from lookalike.system.watching import watching


@checked
class Duplicates(PuttingAway):
    """Pictures that are there twice: found, grouped, decided, put away: `Collection.duplicates`.

    Examples
    --------
    >>> photos = Collection.create(photo_folder, model="pixels-8-grey")
    >>> report = photos.sync()
    >>> photos.duplicates.find().n_new
    4
    >>> photos.duplicates.find().n_new
    0
    """

    def __init__(self, resources: Opener) -> None:
        self._resources = resources

    def find(
        self, *, report: ProgressReport | None = None, cancel: CancelToken | None = None
    ) -> DuplicatesReport:
        """Compare the images that are new with all others, and keep what comes of it.

        Pictures that look alike, by their hashes in all turns or by their vectors, are laid on each other.
        What was compared once is not compared again; who is cut off, or cancelled, goes on from there next
        time. Another who compares the images of this collection is waited for.

        Parameters
        ----------
        report, cancel : optional
            Who is told how far it has come, and may stop it; see `Collection.sync`.

        Raises
        ------
        StoreError
            If what comes of it cannot be written.
        """
        with watching(report, cancel) as watch:
            return find(self._resources, watch)

    def groups(
        self,
        *,
        kinds: str | Iterable[str] | None = None,
        min_probability: float = MIN_PROBABILITY,
        folder: str | os.PathLike[str] | None = None,
        against: str | os.PathLike[str] | None = None,
        across_splits: bool = False,
        prefer: str | Iterable[str] | None = None,
        decided: bool = False,
    ) -> DuplicateGroups:
        """Return groups of duplicates, as far as the images were compared; see `find`.

        Every member of a group was laid on its first image, and every picture is in one group at most. First
        stands what is to be kept: by what was decided, else by the rules.

        Parameters
        ----------
        kinds : str or iterable of str, optional
            identical, same, edited, together, series; all but the last by default.
        min_probability : float
            How sure it has to be that two images are what is said of them, 0 to 1.
        folder : path, optional
            Only files below this folder.
        against : path, optional
            Only pairs of a file below `folder`, or anywhere else, and one below this other folder, which is
            kept.
        across_splits : bool
            Only groups that lie in several splits: of data sets, or folders called train, val and test.
        prefer : str or iterable of str, optional
            What decides which is kept: rules in their order, such as ``"pixels,sharpness,folder=Originals"``;
            there are original, pixels, format, sharpness, older, newer, larger, smaller, folder=NAME, name,
            rating and labeled. By default what is rated higher, says when it was taken, has more pixels, the
            better format, the larger file, a name that is no copy's, and is older.
        decided : bool
            Also groups of which all was decided.

        Raises
        ------
        InvalidInputError
            If there is no such kind or rule.
        QueryError
            If a folder holds no image of the collection; if there are no splits.

        Examples
        --------
        >>> photos = Collection.create(photo_folder, model="pixels-8-grey")
        >>> report = photos.sync()
        >>> found = photos.duplicates.find()
        >>> len(photos.duplicates.groups(kinds="identical"))
        0
        """
        request = GroupsRequest.of(
            kinds,
            min_probability,
            folder=folder,
            against=against,
            across_splits=across_splits,
            prefer=prefer,
            decided=decided,
        )
        return _groups(self._resources(), request)

    def pairs(self) -> DuplicatePairs:
        """Return all pairs that are alike, as arrays, however probable, and whatever was decided of them."""
        return near_of(self._resources())

    def decide(self, a: ImageName, b: ImageName, decision: PairDecision) -> Change | None:
        """Decide on a pair: two images, or two paths of one image; see `Decisions.decide`."""
        return Decisions(self._resources).decide(a, b, decision)


def _groups(resources: Resources, request: GroupsRequest) -> DuplicateGroups:
    grouping = complete(resources, request, Watch())
    snapshot = resources.places.snapshot
    describing = Describing(
        snapshot, grouping.files, among(resources.places, request), read_decided(snapshot.said), request
    )
    groups, n_decided = describing.all(grouping)
    n_compared = near_of(resources).n_compared
    n_new = len(images_there(resources)) - n_compared
    return DuplicateGroups(tuple(groups), n_compared, n_new, n_decided)
