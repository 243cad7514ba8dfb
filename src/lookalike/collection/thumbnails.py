"""Thumbnails of images and of queries, as JPEG files; and which of them have another size by now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lookalike.errors import StoreDamagedError
from lookalike.hints import Hint
from lookalike.images import encode_thumbnail
from lookalike.images.thumbnails import is_made_for
from lookalike.query.embedding import EmbeddedQuery
from lookalike.store import Store
from lookalike.system.progress import Progress, Watch
from lookalike.types import ImageId

if TYPE_CHECKING:
    from lookalike.collection.places import Places

_AT_ONCE = 512  # in memory


def thumbnails(store: Store, images: Iterable[int]) -> dict[ImageId, bytes]:
    """Return those of some images; images that are not there are passed over."""
    rows = store.thumbnails.read_where_in("id", images, ["id", "jpeg"]).to_pylist()
    return {ImageId(row["id"]): row["jpeg"] for row in rows}


def count_other_thumbnails(places: Places, side: int, watch: Watch) -> int:
    """Return how many images have none of the size that it is made in for this side."""
    store, images = places.store, places.snapshot.files.images.tolist()
    count = 0
    for start in range(0, len(images), _AT_ONCE):
        watch(Progress("thumbnails", start, len(images), "looking at thumbnails", unit="images"))
        some = images[start : start + _AT_ONCE]
        jpegs = thumbnails(store, some)
        sizes = store.images.read_where_in("id", some, ["id", "width", "height"]).to_pylist()
        count += sum(
            not is_made_for(jpegs.get(row["id"], b""), side, row["width"], row["height"]) for row in sizes
        )
    return count


def query_thumbnails(store: Store, queries: Sequence[EmbeddedQuery]) -> list[bytes | None]:
    """Return those of queries that were asked; None for words and vectors."""
    stored = thumbnails(
        store, (query.id for query in queries if query.thumbnail is None and query.id is not None)
    )
    missing = [
        query.name
        for query in queries
        if query.thumbnail is None and query.id is not None and query.id not in stored
    ]
    if missing:
        raise StoreDamagedError(
            f"the thumbnail of {missing[0]} is missing from {store.folder}", hint=Hint("repair")
        )
    return [
        encode_thumbnail(query.thumbnail) if query.thumbnail else stored.get(ImageId(query.id or 0))
        for query in queries
    ]
