"""What has thumbnails: which there are, and how large they are made."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lookalike.collection.resources import of_one_state
from lookalike.collection.thumbnails import count_other_thumbnails, query_thumbnails, thumbnails
from lookalike.query.embedding import EmbeddedQuery
from lookalike.system.checked_calls import checked
from lookalike.system.progress import CancelToken, ProgressReport
from lookalike.system.watching import watching
from lookalike.types import ImageId

if TYPE_CHECKING:
    from lookalike.collection.manifest_file import ManifestFile
    from lookalike.collection.resources import Resources


@checked
class Thumbnailed(ABC):
    """A collection, by the thumbnails of its images."""

    _manifest: ManifestFile

    @abstractmethod
    def _resources(self) -> Resources:
        """Return what every read needs, with the roots as they are now: once a request."""

    def thumbnails(self, images: Iterable[ImageId]) -> dict[ImageId, bytes]:
        """Return the thumbnails of some images, as JPEG files; images that are not there are passed over."""
        return thumbnails(self._resources().places.store, images)

    def query_thumbnails(self, queries: Sequence[EmbeddedQuery]) -> list[bytes | None]:
        """Return the thumbnails of queries that were asked, as JPEG files; None for words."""
        return query_thumbnails(self._resources().places.store, queries)

    @property
    def thumbnail_side(self) -> int:
        """The longer side of the thumbnails that are made from now on, pixels."""
        return self._manifest.manifest.thumbnail_side

    def set_thumbnail_side(self, side: int) -> None:
        """Say how large thumbnails are made from now on; the next `sync` or `add` remembers it.

        Images that are there keep theirs until they are read again: ``sync(reread=True)``. Vectors, hashes,
        sharpness and colors do not depend on it.

        Parameters
        ----------
        side : int
            Of the longer side, 64 to 1024 pixels. Images that are at most a quarter larger stay as they are.

        Raises
        ------
        InvalidInputError
            If it is less or more.

        Examples
        --------
        >>> from lookalike import Collection
        >>> photos = Collection.create(photo_folder, model="pixels-8-grey")
        >>> photos.set_thumbnail_side(512)
        >>> report = photos.sync()
        >>> Collection.open(photo_folder).thumbnail_side
        512
        """
        self._manifest.set_thumbnail_side(side)

    def count_other_thumbnails(
        self, *, report: ProgressReport | None = None, cancel: CancelToken | None = None
    ) -> int:
        """Return how many images have a thumbnail of another size than it is made in from now on.

        All thumbnails are read for it. For `report` and `cancel` see `sync`.

        Examples
        --------
        >>> from lookalike import Collection
        >>> photos = Collection.create(photo_folder, model="pixels-8-grey")
        >>> report = photos.sync()
        >>> photos.count_other_thumbnails()
        0
        """
        with watching(report, cancel) as watch:
            return of_one_state(
                self._resources, lambda now: count_other_thumbnails(now.places, self.thumbnail_side, watch)
            )
