"""Labels that say nothing of what images show: of months, say.

A root whose labels nobody asked for, and that agree with what its images look like no better than chance,
has silent labels. Images are found by them, but nothing is drawn, titled or measured by them.
"""

from __future__ import annotations

import numpy as np

from lookalike.collection.coding import Coded, small_codes
from lookalike.collection.columns import FileColumns
from lookalike.hints import Hint, Sentence
from lookalike.store import Manifest


def silent_roots(manifest: Manifest) -> frozenset[str]:
    """Return the names of the roots whose labels are silent."""
    return frozenset(root.name for root in manifest.roots if root.has_silent_labels)


def unless_silent(label: str | None, stored: str, silent: frozenset[str]) -> str | None:
    """Return the label of a stored path, or None if it lies in one of the roots whose labels are silent."""
    return None if silent and stored.partition(":")[0] in silent else label


def without_silent(labels: Coded, files: FileColumns, manifest: Manifest) -> Coded:
    """Return the labels of files without those that are silent."""
    silent = silent_roots(manifest)
    if not silent:
        return labels
    codes = np.where(files.begin_with([f"{name}:" for name in silent]), -1, labels.codes)
    used = np.unique(codes[codes >= 0])
    values = tuple(labels.values[code] for code in used.tolist())
    codes[codes >= 0] = np.searchsorted(used, codes[codes >= 0])
    return Coded(values, small_codes(codes, len(values)))


def label_note(manifest: Manifest) -> Sentence | None:
    """Say so where labels do not say what images show, and what to do; None where they do."""
    silent = [root.name for root in manifest.roots if root.has_silent_labels]
    if silent:
        which = "" if len(silent) == len(manifest.roots) else f" in {', '.join(silent)}"
        return Sentence(
            f"your folders{which} seem not to say what pictures show, so nothing is named or measured by"
            " them",
            Hint("say_labels"),
        )
    for root in manifest.roots:
        verdict = root.verdict if root.is_told else None
        if verdict is not None and not verdict.labels:
            return Sentence(
                f"labels are those of {root.labels}, which gives no file of {root.name} one",
                Hint("see_paths"),
            )
        if verdict is not None and not verdict.tells:
            return Sentence(
                f"labels are those of {root.labels}, as was asked for, although pictures of one look hardly"
                " more alike than others"
            )
    return None
