"""A collection on disk: Lance tables, a manifest, one writer at a time."""

from lookalike.store.embeddings import FLOATS
from lookalike.store.journal_table import JOURNAL, JournalTable
from lookalike.store.labeling import Labeling, LabelVerdict
from lookalike.store.lock import Turn, Wait, check_wait, writer_lock
from lookalike.store.manifest import (
    FOLDER_NAME,
    Manifest,
    Root,
    find_collection,
    root_folder,
    stored_root_path,
)
from lookalike.store.pinned import Pin, PinnedJournal, PinnedStore, PinnedTable, look_at_tables
from lookalike.store.roots import DatasetRequest, RootRequest, ThumbnailRequest
from lookalike.store.schema import ADDED
from lookalike.store.store import Store
from lookalike.store.table import Table, sql_literal
from lookalike.store.versions import Commit

__all__ = [
    "ADDED",
    "FLOATS",
    "FOLDER_NAME",
    "JOURNAL",
    "Commit",
    "DatasetRequest",
    "JournalTable",
    "LabelVerdict",
    "Labeling",
    "Manifest",
    "Pin",
    "PinnedJournal",
    "PinnedStore",
    "PinnedTable",
    "Root",
    "RootRequest",
    "Store",
    "Table",
    "ThumbnailRequest",
    "Turn",
    "Wait",
    "check_wait",
    "find_collection",
    "look_at_tables",
    "root_folder",
    "sql_literal",
    "stored_root_path",
    "writer_lock",
]
