"""What was learned of how sure answers are, kept beside the indexes of the same vectors; safe to delete.

Layout
------
    indexes/<model>.sureness   NumPy's ``.npz``, no pickles, each array with its checksum; see `Kept`

A file is made beside its place and then renamed: a reader sees the old one or the new one. One that is
damaged, or of another version, is made again by whoever searches next.
"""

from __future__ import annotations

import contextlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lookalike.sureness.familiarity import Familiarity, Space
from lookalike.sureness.isotonic import Curve
from lookalike.sureness.learning import Sureness
from lookalike.sureness.likelihood import Likelihood
from lookalike.system.replace_file import replace_file
from lookalike.types import Ids

SUFFIX = ".sureness"

_FORMAT = 1
_WRONG = (
    *(OSError, ValueError, KeyError, TypeError, EOFError, OverflowError),
    *(NotImplementedError, zipfile.BadZipFile, zipfile.LargeZipFile),
)
"""What reading a damaged file may raise."""


@dataclass(frozen=True, slots=True, eq=False)
class LearnedOf:
    """What it was learned of.

    Attributes
    ----------
    n : int
        Images with a vector.
    rewritten : int
        How often vectors had been written anew under their ids; see `lookalike.collection.searchers`.
    ids : (m,) int64
        Some of them.
    labels : (m,) uint32
        The checksums of their labels; 0 for none.
    vectors : (m,) uint32
        The checksums of their vectors.
    """

    n: int
    rewritten: int
    ids: Ids
    labels: npt.NDArray[np.uint32]
    vectors: npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """What is in a file.

    Attributes
    ----------
    learned : Sureness or None
        None where nothing could be told.
    of : LearnedOf
    """

    learned: Sureness | None
    of: LearnedOf


def file_of(collection: Path, model: str) -> Path:
    """Return where it is kept for a model of the collection in a ``.lookalike`` folder."""
    return collection / "indexes" / f"{model}{SUFFIX}"


def read_sureness(file: Path) -> Kept | None:
    """Return what is kept; None where nothing is, or nothing that can be read."""
    try:
        return parse_sureness(file.read_bytes())
    except _WRONG:
        return None


def wrong_with_sureness(file: Path) -> str | None:
    """Say what is wrong with a file; None if nothing is."""
    try:
        parse_sureness(file.read_bytes())
    except _WRONG as error:
        return str(error) or type(error).__name__
    return None


def write_sureness(file: Path, kept: Kept) -> None:
    """Keep it; where the disk does not take it, whoever needs it learns it again."""
    with contextlib.suppress(OSError):
        file.parent.mkdir(exist_ok=True)
        replace_file(file, encode_sureness(kept))


def encode_sureness(kept: Kept) -> bytes:
    """Return the content of a file."""
    of, arrays = kept.of, dict[str, npt.NDArray[np.generic]]()
    arrays["format"] = np.array([_FORMAT, of.n, of.rewritten])
    arrays |= {"of_ids": of.ids, "of_labels": of.labels, "of_vectors": of.vectors}
    if kept.learned is not None:
        likely, familiar = kept.learned.likelihood, kept.learned.familiarity
        arrays |= {
            "likelihood": np.array([likely.mean, likely.spread, likely.chance, likely.is_of_labels]),
            "curve": np.array([likely.curve.knots, likely.curve.values]),
            "mean": familiar.space.mean,
            "axes": familiar.space.axes.astype(np.float16),
            "rows": familiar.space.rows.astype(np.float16),
            "ids": familiar.space.ids,
            "own": np.array([familiar.near, familiar.dense, familiar.least]),
        }
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def parse_sureness(content: bytes) -> Kept:
    """Return what a file holds; what is wrong with it is a ValueError, or one of what NumPy and zip raise."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        found = {name: arrays[name] for name in arrays.files}  # the sum of each is compared
    version, n, rewritten = found["format"].tolist()
    if version != _FORMAT:
        raise ValueError("it is of another lookalike's format")
    of = LearnedOf(n, rewritten, found["of_ids"], found["of_labels"], found["of_vectors"])
    if "curve" not in found:
        return Kept(None, of)
    mean, spread, chance, is_of_labels = found["likelihood"].tolist()
    likely = Likelihood(mean, spread, Curve(*found["curve"]), chance, bool(is_of_labels))
    space = Space(
        found["mean"], found["axes"].astype(np.float32), found["rows"].astype(np.float32), found["ids"]
    )
    if len(space.rows) != len(space.ids) or space.axes.shape != (len(space.mean), space.rows.shape[1]):
        raise ValueError("its arrays do not fit each other")
    return Kept(Sureness(likely, Familiarity(space, *found["own"])), of)
