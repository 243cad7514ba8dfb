"""The images of a collection as queries: found by id or by name, with their vectors and pictures."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lookalike.collection.places import Places
from lookalike.collection.searchers import Searchers
from lookalike.collection.thumbnails import thumbnails
from lookalike.errors import ImageError, QueryNotFoundError, StoreDamagedError
from lookalike.hints import Hint
from lookalike.images import content_id, decode
from lookalike.images.decode import read_file
from lookalike.query.embedding import Source
from lookalike.query.terms import Example, ImageRef, read_id
from lookalike.store import Table
from lookalike.types import ImageId, Vectors, format_id

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class StoredImages:
    """What `lookalike.query.embedding.StoredImages` promises, of a collection and a model's vectors."""

    places: Places
    table: Table
    model: str
    searchers: Searchers

    @property
    def models(self) -> Iterable[str]:
        """The names of all models that have embedded images."""
        return self.places.store.vector_tables()

    def vector_of(self, image: ImageId) -> Vectors | None:
        """Return the vector of an image, (d,) float32; None if there is none."""
        return self.searchers.vector_of(self.table, self.model, image)

    def find(self, term: ImageRef | Example) -> tuple[ImageId, str]:
        """Return the image that is meant, and what to call it: its first file's name, or as an example."""
        if isinstance(term, Example):
            return self.places.find_example(term.name), term.name
        image = read_id(term.id)
        paths = self._paths(image)
        if not paths:
            raise QueryNotFoundError(f"there is no image {format_id(image)} in this collection")
        return image, os.path.basename(paths[0]) if os.path.isabs(paths[0]) else paths[0]

    def picture_of(self, image: ImageId) -> tuple[Image, Source]:
        """Return the picture from a file that still has this content, else its thumbnail; and which."""
        for file in self._paths(image):
            if not os.path.isabs(file):  # of a data set
                continue
            try:
                data = read_file(Path(file))
                if content_id(data)[0] == image:
                    return decode(data, file).image, "picture"
            except ImageError:
                continue
        jpeg = thumbnails(self.places.store, [image]).get(image)
        if jpeg is None:
            raise StoreDamagedError(
                f"the thumbnail of {format_id(image)} is missing from {self.places.store.folder}",
                hint=Hint("repair"),
            )
        return decode(jpeg, f"the thumbnail of {format_id(image)}").image, "thumbnail"

    def _paths(self, image: ImageId) -> list[str]:
        """Return where an image lies: absolute paths, and names such as ``mnist:test/42``; in order."""
        files = self.places.snapshot.files_if_soon()
        if files is None:
            return [location.path for location in self.places.of_images([image]).get(image, [])]
        rows = np.sort(files.rows_of([image])).tolist()
        return [self.places.absolute(files.path(row), image) for row in rows]
