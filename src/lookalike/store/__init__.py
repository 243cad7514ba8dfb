"""A collection on disk: Lance tables, a manifest, one writer at a time."""

from lookalike.store.lock import writer_lock
from lookalike.store.manifest import (
    FOLDER_NAME,
    Labeling,
    Manifest,
    Root,
    find_collection,
    root_folder,
    stored_root_path,
)
from lookalike.store.roots import DatasetRequest, RootRequest
from lookalike.store.store import Store
from lookalike.store.table import Table, sql_literal

__all__ = [
    "FOLDER_NAME",
    "DatasetRequest",
    "Labeling",
    "Manifest",
    "Root",
    "RootRequest",
    "Store",
    "Table",
    "find_collection",
    "root_folder",
    "sql_literal",
    "stored_root_path",
    "writer_lock",
]
