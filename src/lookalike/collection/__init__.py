"""A collection of images: where scanning, embedding, storing and searching meet.

The command line calls this package, and nothing deeper but what draws and measures. `collection` is what
users have in hand, and hands on what it is asked: `opening` finds or makes one, `manifest_file` knows what
it is made of, `syncing` brings it up to date, `searching` answers queries, `searchers` keeps what makes that
fast, `describing` says what is there, and `places` knows where images lie. `clusterings`, `maps`, `models`
and `evaluation` are folders, each with a class that users reach from the collection and the functions that
do its work; these see `resources`, never the class. What is kept in files beside the tables is `stored`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.system.on_demand import public_names

if TYPE_CHECKING:
    from lookalike.collection.collection import Collection

__all__ = [
    "Collection",
]

__getattr__, __dir__ = public_names(
    __name__,
    {
        "Collection": "collection",
    },
)
