"""Groups as users have them in hand: with paths, sizes, what is to be kept of each, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lookalike.collection.duplicates.asked import Among, GroupsRequest
from lookalike.collection.duplicates.decided import KEPT, REMOVED, Decided
from lookalike.collection.duplicates.grouping import ALIKE, FilesOf, Grouping, Member
from lookalike.collection.snapshot import Snapshot
from lookalike.duplicates.keeping import why
from lookalike.duplicates.kinds import KINDS
from lookalike.results.duplicates import DuplicateFile, DuplicateGroup, DuplicateImage
from lookalike.types import ImageId

_ALIKE = frozenset(KINDS.index(name) for name in ALIKE)
_DECIDED = "you decided so"
_HELD = "it lies in {}"


@dataclass(frozen=True, slots=True)
class _Shown:
    """An image of a group, and which of its files are shown, by their rows in `FilesOf`, the best first."""

    member: Member
    files: list[int]
    keep: list[bool]
    is_decided: bool


@dataclass(frozen=True, slots=True)
class Describing:
    """What describes groups.

    Attributes
    ----------
    snapshot : Snapshot
    files : FilesOf
    among : Among
    decided : Decided
    request : GroupsRequest
    """

    snapshot: Snapshot
    files: FilesOf
    among: Among
    decided: Decided
    request: GroupsRequest

    def all(self, grouping: Grouping) -> tuple[list[DuplicateGroup], int]:
        """Return the groups, in their order, and how many are left out as all of them is decided."""
        made = [each for star in grouping.stars if (each := self.one(star)) is not None]
        made.sort(key=lambda each: (KINDS.index(each.kind), -each.probability, each.files[0].stored_path))
        shown = made if self.request.decided else [each for each in made if not each.is_decided]
        return shown, len(made) - len(shown)

    def one(self, star: Sequence[Member]) -> DuplicateGroup | None:
        """Return a group; None if nothing is left of it that was not decided to be no duplicate."""
        others = [member.id for member in star]
        images = [self._image(member, others, place == 0) for place, member in enumerate(star)]
        rows = [row for image in images for row in image.files]
        if len(rows) < 2 or not self.among.spans(self.files.rows[rows]):
            return None
        if not any(any(image.keep) for image in images):  # decisions that go round in a circle
            images[0].keep[0] = True
        kind = max((member.kind for member in star[1:]), default=0)
        return DuplicateGroup(
            KINDS[kind],
            min(member.probability for member in star),
            tuple(self._told(image) for image in images),
            self._because(images, rows),
            all(image.is_decided for image in images),
        )

    def _image(self, member: Member, others: Sequence[int], is_keeper: bool) -> _Shown:
        """Return which files of an image are shown, and which stay."""
        verdicts, paths = self.decided.files, self.files.facts.paths
        first, *more = self._by_decision(self.files.of(member.id))
        rows = [first, *(row for row in more if (paths[first], paths[row]) not in verdicts.apart)]
        images = self.decided.images
        standing = images.standing(member.id, (other for other in others if other != member.id))
        stays = standing != REMOVED and (is_keeper or standing == KEPT or member.kind in _ALIKE)
        keep = []
        for place, row in enumerate(rows):
            beside = verdicts.standing(paths[row], (paths[other] for other in rows if other != row))
            stays_so = beside == KEPT or (place == 0 and beside != REMOVED)
            keep.append(bool(self.files.is_kept[row]) or (stays and stays_so))
        is_held = bool(self.files.is_kept[rows].any())
        if is_held:  # its other files need not stay for its sake
            keep = [each and bool(self.files.is_kept[row]) for each, row in zip(keep, rows, strict=True)]
        is_decided = is_keeper or images.has(others[0], member.id)
        if stays or is_held:
            is_decided &= all(verdicts.has(paths[first], paths[row]) for row in rows[1:])
        return _Shown(member, rows, keep, is_decided)

    def _by_decision(self, rows: list[int]) -> list[int]:
        """Return the files of an image; those come last of which it was decided that they go."""
        verdicts, paths = self.decided.files, self.files.facts.paths
        standings = {
            row: verdicts.standing(paths[row], (paths[other] for other in rows if other != row))
            for row in rows
        }
        return sorted(rows, key=lambda row: (not self.files.is_kept[row], standings[row] == REMOVED))

    def _told(self, image: _Shown) -> DuplicateImage:
        member, facts = image.member, self.files.facts
        at = int(self.snapshot.images.rows_of(np.array([member.id], np.int64))[0])
        return DuplicateImage(
            ImageId(member.id),
            member.probability,
            member.turn,
            KINDS[member.kind],
            tuple(
                DuplicateFile(
                    self.snapshot.absolute(facts.paths[row], member.id),
                    facts.paths[row],
                    keep,
                    int(facts.sizes[row]),
                )
                for row, keep in zip(image.files, image.keep, strict=True)
            ),
            int(self.snapshot.images.widths[at]),
            int(self.snapshot.images.heights[at]),
        )

    def _because(self, images: Sequence[_Shown], rows: Sequence[int]) -> str:
        """Say why the first file is the one to keep."""
        first = rows[0]
        if self.files.is_kept[first]:
            return _HELD.format(self.request.against)
        if int(self.files.ranks[first]) != min(int(self.files.ranks[row]) for row in rows):
            return _DECIDED
        next_best = min(rows[1:], key=lambda row: int(self.files.ranks[row]))
        return why(self.files.facts, self.request.preferences, first, next_best)
