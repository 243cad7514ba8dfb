"""Named lists of images, as users have them in hand."""

from __future__ import annotations

from lookalike.collection.names import Names
from lookalike.collection.places import make_hit
from lookalike.collection.resources import Opener
from lookalike.collection.statements.draft import Draft
from lookalike.collection.statements.naming import Images, check_label, missing, read_images
from lookalike.errors import CollectionNotFoundError
from lookalike.results.said import Change, SetInfo
from lookalike.system.checked_calls import checked
from lookalike.types import Hit, Ids, ImageId


@checked
class Sets(Names):
    """The sets of a collection, by name: `Collection.sets`.

    Images stand in the order in which they were put in. Each call is one change, on the disk when it returns,
    and can be undone: `Collection.changes`. A call that changes nothing returns None.

    Examples
    --------
    >>> photos = Collection.create(photo_folder)
    >>> report = photos.sync()
    >>> change = photos.sets.add("best", [photo_folder / "stripes.png", photo_folder / "noise.png"])
    >>> change.words, photos.sets.names(), len(photos.sets.images("best"))
    ('set best made, of 2 images', ['best'], 2)
    """

    def __init__(self, resources: Opener) -> None:
        self._resources = resources

    def names(self) -> list[str]:
        """Return the names of the sets, in the order of the alphabet."""
        return sorted(self._resources().places.snapshot.said.sets)

    def list(self) -> tuple[SetInfo, ...]:
        """Return the sets with their sizes, in the order of the alphabet."""
        places = self._resources().places
        sets = places.snapshot.said.sets
        found = []
        for name in sorted(sets):
            n_missing = missing(places, sets[name])
            found.append(SetInfo(name, len(sets[name]) - n_missing, n_missing))
        return tuple(found)

    def images(self, name: str) -> Ids:
        """Return the images of a set, (n,) int64, in their order; some may have left the collection.

        Raises
        ------
        CollectionNotFoundError
            If there is no such set.
        """
        sets = self._resources().places.snapshot.said.sets
        wanted = check_label("name", name)
        if wanted not in sets:
            there = f"there are {', '.join(sorted(sets))}" if sets else "there is none yet"
            raise CollectionNotFoundError(f"there is no set {wanted!r}; {there}", field="name")
        return sets[wanted]

    def hits(self, name: str) -> tuple[Hit, ...]:
        """Return the images of a set that are in the collection, in their order, as hits of distance 0.

        Raises
        ------
        CollectionNotFoundError
            If there is no such set.
        """
        places = self._resources().places
        locations, lookup = places.of_images(ids := self.images(name).tolist()), places.lookup()
        there = [ImageId(image) for image in ids if image in locations]
        return tuple(
            make_hit(rank, image, 0.0, None, locations[image], lookup)
            for rank, image in enumerate(there, start=1)
        )

    def add(self, name: str, images: Images) -> Change | None:
        """Put images into a set, behind those that are in it; without any, make an empty one.

        Parameters
        ----------
        name : str
            Of a set that is there, or of a new one.
        images : ids, paths, hits, or a result
            A whole result of 100,000 images is one change. A number that is no image of the collection is
            kept, too: it may come back.

        Raises
        ------
        InvalidInputError
            If the name is no line of text, or something is no image.
        QueryError
            If a path is that of no image.
        """
        resources = self._resources()
        wanted, ids = check_label("name", name), read_images(resources.places, images)

        def make(draft: Draft) -> None:
            draft.put_into(wanted, ids.tolist())

        return resources.change("sets", make)

    def remove(self, name: str, images: Images) -> Change | None:
        """Take images out of a set; those that are not in it are passed over, and all stay in the collection.

        Raises
        ------
        CollectionNotFoundError
            If there is no such set.
        """
        resources = self._resources()
        wanted, ids = check_label("name", name), read_images(resources.places, images)

        def make(draft: Draft) -> None:
            draft.take_out(wanted, ids.tolist())

        return resources.change("sets", make)

    def rename(self, old: str, new: str) -> Change | None:
        """Give a set another name.

        Raises
        ------
        CollectionNotFoundError
            If there is no such set.
        CollectionConflictError
            If there is one of the new name.
        """
        before, after = check_label("old", old), check_label("new", new)

        def make(draft: Draft) -> None:
            draft.rename(before, after)

        return self._resources().change("sets", make)

    def delete(self, name: str) -> Change | None:
        """Delete a set; its images stay in the collection.

        Raises
        ------
        CollectionNotFoundError
            If there is no such set.
        """
        wanted = check_label("name", name)

        def make(draft: Draft) -> None:
            draft.delete(wanted)

        return self._resources().change("sets", make)
