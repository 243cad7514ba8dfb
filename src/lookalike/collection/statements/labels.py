"""Labels given by hand, as users have them in hand."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from lookalike.collection.faces import Face
from lookalike.collection.resources import Opener
from lookalike.collection.statements.draft import Draft
from lookalike.collection.statements.naming import ImageName, Images, check_label, read_image, read_images
from lookalike.errors import InvalidInputError
from lookalike.results.said import Change
from lookalike.system.checked_calls import checked, shown
from lookalike.system.wording import frequencies


@checked
class Labels(Face):
    """The labels that people gave to images of a collection: `Collection.labels`.

    They go before those of folders and data sets wherever there is a label: on hits, in filters, as ground
    truth. Each call is one change, on the disk when it returns; one that changes nothing returns None.

    Examples
    --------
    >>> photos = Collection.create(photo_folder)
    >>> report = photos.sync()
    >>> change = photos.labels.give([photo_folder / "stripes.png"], "fabric")
    >>> photos.search(photo_folder / "stripes-brighter.png", k=1).hits[0].label
    'fabric'
    """

    def __init__(self, resources: Opener) -> None:
        self._resources = resources

    def by_image(self) -> Mapping[int, str]:
        """Return the label of each image that has one by hand, by id."""
        return MappingProxyType(dict(self._resources().places.snapshot.said.labels))

    def counts(self) -> Mapping[str, int]:
        """Return how many images have each label by hand, most frequent first."""
        return frequencies(self._resources().places.snapshot.said.labels.values())

    def give(self, images: Images, label: str) -> Change | None:
        """Give images a label, in place of the one that they have.

        Parameters
        ----------
        images : ids, paths, hits, or a result
        label : str

        Raises
        ------
        InvalidInputError
            If the label is no line of text, or something is no image.
        QueryError
            If a path is that of no image.
        """
        resources = self._resources()
        wanted, ids = check_label("label", label), read_images(resources.places, images).tolist()
        return resources.change("labels", lambda draft: draft.give_label(ids, wanted))

    def give_each(self, labels: Mapping[ImageName, str | None]) -> Change | None:
        """Give each image its own label, all in one change; None takes it away.

        Raises
        ------
        InvalidInputError
            If a label is no line of text, something is no image, or one image is to have two labels.
        QueryError
            If a path is that of no image.
        """
        if not isinstance(labels, Mapping):
            raise InvalidInputError(f"labels is {shown(labels)}; expected a label by image", field="labels")
        resources = self._resources()
        wanted: dict[int, str | None] = {}
        for name, label in labels.items():
            image = read_image(resources.places, name)
            checked = None if label is None else check_label("label", label)
            if wanted.setdefault(image, checked) != checked:
                raise InvalidInputError(
                    f"{name} is to be {checked!r}, but the same image is to be {wanted[image]!r}, too",
                    field="labels",
                )

        def make(draft: Draft) -> None:
            for image, label in wanted.items():
                draft.give_label([image], label)

        return resources.change("labels", make)

    def remove(self, images: Images) -> Change | None:
        """Take away the labels that images have by hand; those of their folders show again."""
        resources = self._resources()
        ids = read_images(resources.places, images).tolist()
        return resources.change("labels", lambda draft: draft.give_label(ids, None))
