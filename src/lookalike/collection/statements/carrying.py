"""What was said of an image goes over to what its file holds after an edit, if it is one picture.

A sync tells of the files whose content is another now before it writes that down: both thumbnails are at
hand, and a run that is killed in between finds the same edits again. Where something was said of the old
content, one thumbnail is laid on the other (`lookalike.registration`). If they are one picture, labels,
judgments and decisions stand for both from then on; in sets the new one takes the place of the old, or stands
beside it where another file still holds that. A different picture under the old name inherits nothing.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from lookalike.collection.said import Said
from lookalike.collection.statements.draft import Draft
from lookalike.collection.stored.edits import Decided, Edits, JudgmentKey, PairKey
from lookalike.collection.stored.journal import Journal
from lookalike.registration import picture_of, register
from lookalike.registration.registering import turned
from lookalike.store import Store
from lookalike.store.store import Changes, FileRow
from lookalike.types import ImageId, format_id

_AT_ONCE = 256  # pairs of thumbnails in memory
_SIDE = 16
_LEVELS = 6.0  # grey levels by which two flat pictures of one color may differ in the mean


class Edited(NamedTuple):
    """A file whose content is another now."""

    old: FileRow
    new: FileRow


@dataclass
class Carrying:
    """What a sync tells of the files that were edited or moved; see above.

    Attributes
    ----------
    store : Store
    journal : Journal
    jobs : int
        Threads.
    compares_all : bool
        Whether to compare also those of which nothing was said here.
    carried : set of ImageId
        Old contents of which something was said that stands for the new ones, too.
    replaced : set of str
        Paths that hold another picture now, of whose old content something had been said.
    different : set of str
        Paths that hold another picture now, as far as they were compared.
    """

    store: Store
    journal: Journal
    jobs: int
    compares_all: bool = False
    carried: set[ImageId] = field(default_factory=set)
    replaced: set[str] = field(default_factory=set)
    different: set[str] = field(default_factory=set)

    def __call__(self, edited: Sequence[tuple[FileRow, FileRow]], changes: Changes) -> None:
        """Carry over what was said of edited files, which are about to be written.

        Parameters
        ----------
        edited : sequence of (FileRow, FileRow)
            As they were, and as they are.
        changes : Changes
            All that is about to be written.
        """
        thumbnails = {row.id: row.thumbnail for row in changes.images}
        known = self.journal.now().images if edited else frozenset()
        pairs = [Edited(*each) for each in edited]
        if not self.compares_all:
            pairs = [each for each in pairs if each.old.id in known]
        same: list[Edited] = []
        for start in range(0, len(pairs), _AT_ONCE):
            same += self._compare(pairs[start : start + _AT_ONCE], thumbnails)
        are_same = {each.new.path for each in same}
        self.different |= {each.new.path for each in pairs} - are_same
        self.replaced |= {each.new.path for each in pairs if each.old.id in known} - are_same
        same = [each for each in same if each.old.id in known]
        if same:
            left = self._without_file(same, changes)
            self.journal.write("carry", lambda said: carried(said, same, left))
            self.carried |= {each.old.id for each in same}

    def moved(self, moved: Iterable[tuple[str, FileRow]]) -> None:
        """Let decisions on places follow files that were renamed: old path, new row."""
        new_of = {old: row.path for old, row in moved}
        if any(":" in first for first, _ in self.journal.now().kept_decisions):
            self.journal.write("carry", lambda said: _with_paths(said, new_of))

    def _compare(self, pairs: Sequence[Edited], thumbnails: Mapping[ImageId, bytes]) -> list[Edited]:
        """Return those of some pairs that are one picture."""
        wanted = {row.id for pair in pairs for row in pair if row.id not in thumbnails}
        rows = self.store.thumbnails.read_where_in("id", sorted(wanted), ["id", "jpeg"]).to_pylist()
        found = {**thumbnails, **{row["id"]: row["jpeg"] for row in rows}}
        jpegs = [(found.get(pair.old.id), found.get(pair.new.id)) for pair in pairs]
        with ThreadPoolExecutor(self.jobs) as pool:
            same = pool.map(lambda both: None not in both and is_same_picture(*both), jpegs)
            return [pair for pair, is_same in zip(pairs, same, strict=True) if is_same]

    def _without_file(self, edited: Sequence[Edited], changes: Changes) -> frozenset[ImageId]:
        """Return the old contents that no file will hold any more."""
        now = {row.path for row in changes.files}
        old = {each.old.id for each in edited} - {row.id for row in changes.files}
        rows = self.store.files.read_where_in("id", sorted(old), ["path", "id"]).to_pylist()
        return frozenset(old - {row["id"] for row in rows if row["path"] not in now})


def is_same_picture(old: bytes, new: bytes) -> bool:
    """Tell whether two thumbnails, JPEG files, are of one picture, edited; those that are damaged are not."""
    if old == new:
        return True
    try:
        fit = register(picture_of(old), picture_of(new))
        return _are_one_color(old, new) if math.isnan(fit.score) else fit.is_same
    except OSError:
        return False


def _are_one_color(old: bytes, new: bytes) -> bool:
    """Tell whether two pictures without texture are of the same colors, in any turn."""
    from PIL import Image

    one, other = (
        np.asarray(Image.open(io.BytesIO(each)).convert("RGB").resize((_SIDE, _SIDE)), np.float32)
        for each in (old, new)
    )
    return any(float(np.abs(one - turned(other, turn)).mean()) <= _LEVELS for turn in range(1, 9))


def carried(said: Said, edited: Sequence[Edited], left: frozenset[ImageId]) -> Edits:
    """Return what has to be said so that it stands for the new contents, too.

    Parameters
    ----------
    said : Said
    edited : sequence of Edited
        Of which both contents are one picture.
    left : frozenset of ImageId
        Old contents that no file will hold any more.
    """
    draft = Draft(said)
    new_of: dict[int, dict[int, None]] = {}
    for each in edited:
        new_of.setdefault(each.old.id, {})[each.new.id] = None
    for old, new in new_of.items():
        label = draft.label(old)
        if label is not None:
            draft.give_label([image for image in new if draft.label(image) is None], label)
        for name in said.sets_with(old):
            draft.put_into(name, new, draft.order_in(name, old))
            if old in left:
                draft.take_out(name, [old])
    for judged, key in _renamed_judgments(said, new_of):
        for judgment in said.kept_judgments[judged]:
            draft.judge(key, judgment)
    for pair, decided in said.kept_decisions.items():
        for new_pair, new_decided in _renamed_decision(pair, decided, new_of):
            if draft.decision(new_pair) is None:
                draft.decide(new_pair, new_decided)
    return draft.edits()


def _renamed_judgments(
    said: Said, new_of: Mapping[int, Iterable[int]]
) -> Iterable[tuple[JudgmentKey, JudgmentKey]]:
    """Yield keys of judgments that are about old contents, with those that are about the new."""
    for key in said.kept_judgments:
        query, image = key
        asked = image_of_query(query)
        if image in new_of or asked in new_of:
            queries = [query, *(_with_image(query, new) for new in new_of.get(asked, ()))]
            for each in queries:
                for other in (image, *new_of.get(image, ())):
                    if (each, other) != key:
                        yield key, (each, other)


def image_of_query(query: str) -> int:
    """Return the image that the query of a key is, or is a region of; -1 if it is none."""
    if not query.startswith("{"):
        return int(query, 16)
    return int(json.loads(query).get("id", "-1"), 16)


def _with_image(query: str, image: int) -> str:
    if not query.startswith("{"):
        return format_id(image)
    return json.dumps({**json.loads(query), "id": format_id(image)}, sort_keys=True)


def _renamed_decision(
    pair: PairKey, decided: Decided, new_of: Mapping[int, Iterable[int]]
) -> Iterable[tuple[PairKey, Decided]]:
    if ":" in pair[0]:
        return
    choices = [[each, *map(format_id, new_of.get(int(each, 16), ()))] for each in pair]
    for a in choices[0]:
        for b in choices[1]:
            if a != b and (a, b) != pair:
                about = a if decided.first == pair[0] else b
                first, second = sorted((a, b))
                yield (first, second), decided._replace(first=about)


def _with_paths(said: Said, new_of: Mapping[str, str]) -> Edits:
    draft = Draft(said)
    for pair, decided in said.kept_decisions.items():
        a, b = (new_of.get(each, each) for each in pair)
        if (a, b) != pair and a != b:
            draft.decide(pair, None)
            first, second = sorted((a, b))
            about = a if decided.first == pair[0] else b
            draft.decide((first, second), decided._replace(first=about))
    return draft.edits()
