"""Thumbnails of images and of queries, as JPEG files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lookalike.errors import StoreDamagedError
from lookalike.hints import Hint
from lookalike.images import encode_thumbnail
from lookalike.query.embedding import EmbeddedQuery
from lookalike.store import Store
from lookalike.types import ImageId


def thumbnails(store: Store, images: Iterable[int]) -> dict[ImageId, bytes]:
    """Return those of some images; images that are not there are passed over."""
    rows = store.thumbnails.read_where_in("id", images, ["id", "jpeg"]).to_pylist()
    return {ImageId(row["id"]): row["jpeg"] for row in rows}


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
