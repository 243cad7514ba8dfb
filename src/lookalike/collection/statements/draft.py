"""A change as it is being put together: what is wanted, held against what is said, becomes edits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from lookalike.collection.said import ImageSet, Said, find_set
from lookalike.collection.stored.edits import Decided, Edits, Judged, JudgmentKey, PairKey, SetEdit
from lookalike.errors import CollectionConflictError, CollectionNotFoundError
from lookalike.types import Ids


@dataclass
class _SetDraft:
    number: int
    kept: ImageSet | None
    name: str | None
    added: dict[int, int] = field(default_factory=dict)
    removed: dict[int, int] = field(default_factory=dict)

    def edit(self) -> SetEdit | None:
        before = None if self.kept is None else self.kept.name
        if before == self.name and not self.added and not self.removed:
            return None
        columns = [
            np.fromiter(values, np.int64, len(values))
            for each in (self.added, self.removed)
            for values in (each.keys(), each.values())
        ]
        return SetEdit(self.number, before, self.name, *columns)


class Draft:
    """A change on top of what is said; what is so already is left out of it.

    Parameters
    ----------
    said : Said
    """

    def __init__(self, said: Said) -> None:
        self.said = said
        self._labels: dict[int, str | None] = {}
        self._sets: dict[str, _SetDraft] = {}
        self._judgments: dict[JudgmentKey, tuple[Judged, ...]] = {}
        self._decisions: dict[PairKey, Decided | None] = {}
        self._n_sets = said.n_sets

    def label(self, image: int) -> str | None:
        """Return the label that an image has by hand."""
        return self._labels[image] if image in self._labels else self.said.labels.get(image)

    def give_label(self, images: Iterable[int], label: str | None) -> None:
        """Give images a label; None takes it away."""
        self._labels.update(dict.fromkeys(images, label))

    def has_set(self, name: str) -> bool:
        """Tell whether there is a set of a name."""
        found = self._sets.get(name)
        return find_set(self.said, name) is not None if found is None else found.name == name

    def order_in(self, name: str, image: int) -> int | None:
        """Return where an image stands in a set that is there; None if it is not in it."""
        found = self._set(name)
        if image in found.added:
            return found.added[image]
        if found.kept is None or image in found.removed:
            return None
        return found.kept.orders.get(image)

    def put_into(self, name: str, images: Iterable[int], order: int | None = None) -> int:
        """Put images into a set, made if need be; return how many were not in it.

        Parameters
        ----------
        name : str
        images : iterable of int
        order : int, optional
            Where they are to stand; behind all that ever were in it by default.
        """
        if not self.has_set(name):
            self._sets[name] = _SetDraft(self._n_sets, None, name)
            self._n_sets += 1
        found = self._set(name)
        there = {} if found.kept is None else found.kept.orders
        first = 0 if found.kept is None else found.kept.next
        behind = max([first, *found.added.values()]) + (1 if found.added else 0)
        n_before = len(found.added) - len(found.removed)
        for image in images:
            if image in found.removed:
                del found.removed[image]
            elif image not in there and image not in found.added:
                found.added[image] = behind if order is None else order
                behind += 1
        return len(found.added) - len(found.removed) - n_before

    def take_out(self, name: str, images: Iterable[int]) -> None:
        """Take images out of a set; those that are not in it are passed over."""
        found = self._set(name)
        there = {} if found.kept is None else found.kept.orders
        for image in images:
            if image in found.added:
                del found.added[image]
            elif image in there:
                found.removed[image] = there[image]

    def rename(self, old: str, new: str) -> None:
        """Give a set another name."""
        if new != old and self.has_set(new):
            raise CollectionConflictError(f"there is a set {new} already", field="new")
        found = self._set(old)
        found.name = new

    def delete(self, name: str) -> None:
        """Delete a set; its images stay."""
        found = self._set(name)
        found.name = None
        found.added.clear()
        found.removed = {} if found.kept is None else dict(found.kept.orders)

    def judge(self, key: JudgmentKey, judged: Judged) -> bool:
        """Add a judgment, unless the very same is there; return whether it was added."""
        there = self.judgments(key)
        if judged in there:
            return False
        self._judgments[key] = tuple(sorted((*there, judged), key=lambda each: each.time))
        return True

    def judgments(self, key: JudgmentKey) -> tuple[Judged, ...]:
        """Return the judgments of a key."""
        return self._judgments.get(key, self.said.kept_judgments.get(key, ()))

    def withdraw(self, key: JudgmentKey) -> None:
        """Take the judgments of a key away."""
        if not self.judgments(key):
            raise CollectionNotFoundError("this image was not judged for this query")
        self._judgments[key] = ()

    def decision(self, key: PairKey) -> Decided | None:
        """Return what was decided of a pair."""
        return self._decisions[key] if key in self._decisions else self.said.kept_decisions.get(key)

    def decide(self, key: PairKey, decided: Decided | None) -> None:
        """Decide of a pair; None takes the decision back."""
        self._decisions[key] = decided

    def _set(self, name: str) -> _SetDraft:
        if name not in self._sets:
            found = find_set(self.said, name)
            if found is None:
                names = ", ".join(sorted(self.said.sets))
                there = f"there are {names}" if names else "there is none yet"
                raise CollectionNotFoundError(f"there is no set {name!r}; {there}", field="name")
            self._sets[name] = _SetDraft(*found, name)
        return self._sets[name]

    def edits(self) -> Edits:
        """Return what has to be changed."""
        said = self.said
        labels = {image: name for image, name in self._labels.items() if said.labels.get(image) != name}
        before = [said.labels.get(image) for image in labels]
        names = list(dict.fromkeys(name for name in [*labels.values(), *before] if name is not None))
        codes: dict[str | None, int] = {None: -1, **{name: code for code, name in enumerate(names)}}
        sets = [each.edit() for each in self._sets.values()]
        return Edits(
            _array(labels),
            tuple(names),
            _array(codes[name] for name in labels.values()),
            _array(codes[name] for name in before),
            tuple(each for each in sets if each is not None),
            {
                key: (there, judged)
                for key, judged in self._judgments.items()
                if (there := said.kept_judgments.get(key, ())) != judged
            },
            {
                key: (was, decided)
                for key, decided in self._decisions.items()
                if (was := said.kept_decisions.get(key)) != decided
            },
        )


def _array(values: Iterable[int]) -> Ids:
    return np.fromiter(values, np.int64)
