"""Which images are called so: in names of files, folders and clusters, labels and keywords."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np

from lookalike.collection.snapshot import Snapshot
from lookalike.types import Ids
from lookalike.vocabulary import forms_of


def called(snapshot: Snapshot, words: Iterable[str]) -> Ids:
    """Return the images whose names have all of some words, each whole, in singular or plural; rising.

    One word may stand in the file's name and another in a label.

    Parameters
    ----------
    snapshot : Snapshot
    words : iterable of str
        A word, or a few that are one noun.
    """
    found: Ids | None = None
    for word in words:
        ids = _called(snapshot, _pattern(word))
        found = ids if found is None else np.intersect1d(found, ids)
    return np.empty(0, np.int64) if found is None else found


def _pattern(word: str) -> str:
    r"""Return what a word looks like in a name, for RE2 and for Python.

    >>> bool(re.search(_pattern("beach"), "IMG_2-Beaches.jpg")), bool(re.search(_pattern("ant"), "antelope"))
    (True, False)
    """
    forms = dict.fromkeys(each for form in forms_of(word) for each in (form, f"{form}s", f"{form}es"))
    joined = "|".join(re.escape(form).replace(r"\ ", "[ _-]?").replace(r"\-", "[ _-]?") for form in forms)
    return rf"(?i)(^|[^a-z])({joined})($|[^a-z])"


def _called(snapshot: Snapshot, pattern: str) -> Ids:
    import pyarrow.compute as pc

    files, images = snapshot.files, snapshot.images
    rows = pc.match_substring_regex(files.names, pattern).to_numpy(zero_copy_only=False).astype(bool)
    folders = pc.match_substring_regex(files.folders, pattern).to_numpy(zero_copy_only=False).astype(bool)
    if len(folders):
        rows |= folders[files.folder_codes]
    labels = snapshot.every_file_label
    rows |= labels.has_any(_matching(labels.values, pattern))
    ids = files.ids[rows]
    keywords = images.keywords
    of_images = keywords.has_any(_matching(keywords.values, pattern))
    for named in snapshot.named_clusters:
        of_images |= named.has_any(_matching(named.values, pattern))
    return np.union1d(ids, images.ids[of_images])


def _matching(values: Sequence[str], pattern: str) -> list[int]:
    compiled = re.compile(pattern)
    return [code for code, value in enumerate(values) if compiled.search(value)]
