"""A collection on disk: Lance tables, a manifest, one writer at a time."""

from lookalike.store.lock import writer_lock
from lookalike.store.manifest import (
    FOLDER_NAME,
    Labelling,
    Manifest,
    Root,
    find_collection,
    name_root,
    root_folder,
    stored_root_path,
)
from lookalike.store.store import Store
from lookalike.store.table import Table

__all__ = [
    "FOLDER_NAME",
    "Labelling",
    "Manifest",
    "Root",
    "Store",
    "Table",
    "find_collection",
    "name_root",
    "root_folder",
    "stored_root_path",
    "writer_lock",
]
