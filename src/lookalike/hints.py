"""What to do about it: data, which each door puts into words of its own.

The library says ``Hint("sync")``; Python reads "call collection.sync()", the command line, by `cli.hints`,
"run `lookalike index`".
"""

from __future__ import annotations

import errno
import functools
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

PYTHON: Mapping[str, str] = MappingProxyType(
    {
        "as_told": "{words}",
        "both": "{first}; {second}",
        "either": "{first}, or {second}",
        "repair": "call collection.check(repair=True): it says what is damaged, and mends what can be mended",
        "wait_turn": "wait for it to end, then do it again; with wait=None, it waits by itself",
        "make_room": "make room there, then do it again; what was done before is kept",
        "writable_disk": (
            "make the disk writable again (one that fails turns read-only by itself), or keep the collection"
            " on another"
        ),
        "more_handles": "let the process have more files open, or close some, then do it again",
        "sound_disk": "look whether the disk, and the way to it, is sound, then do it again",
        "repair_unopened": (
            "call Collection.check_at({folder!r}, repair=True): it says what is damaged, and mends what can"
            " be mended"
        ),
        "make_collection": "make one with Collection.create(folder)",
        "sync": "call collection.sync(){then}",
        "sync_model": "call collection.sync(model={model!r}) first",
        "sync_other": (
            "to go on without it, collection.sync(model={model!r}) brings that one alone up to date"
        ),
        "find_duplicates": "find them with collection.duplicates.find()",
        "make_first_clustering": "make one with collection.clusterings.make()",
        "name_collection": "name one, as Collection.open_or_create(…, at=DIR)",
        "name_home": "name its folder, as Collection.open_or_create(…, at=DIR)",
        "name_collections_folder": "name the collection's folder, as Collection.open_near(…, at=DIR)",
        "name_this_folder": "name a folder of images, or this one: '.'",
        "index_folder": "Collection.create(folder) takes images without classes",
        "writable_folder": "name a folder that can be written to",
        "another_disk": "keep the collection on another disk: make it in a folder there",
        "put_back": (
            "Put it back; if it lies elsewhere now, say so with collection.move_root({place!r},"
            " new); or sync with prune=True to take its images out of the collection"
        ),
        "put_images_back": "Put them back, or sync with prune=True to take them out of the collection",
        "make_clustering": "make it with collection.clusterings.make(name={name!r})",
        "name_clusters": "give some names with collection.clusterings.rename({name!r}, cluster, to)",
        "named_clusters": (
            "collection.clusterings.get({name!r}) has them; choose another name, or delete that clustering"
            " first"
        ),
        "make_first_map": "make one with collection.maps.make()",
        "make_map": "make it with collection.maps.make(name={name!r})",
        "map_anew": "make it anew with collection.maps.make({method!r}, {name!r})",
        "give_labels": (
            "give a table of labels, a CSV file with columns path and label, or name clusters"
            " with collection.clusterings.rename and give the clustering's name"
        ),
        "say_labels": (
            "say where labels come from with collection.add_root(folder, labels=…): a CSV file, 'folders:1',"
            " 'path', a glob such as '{{label}}_*'; or 'folders', to use them all the same"
        ),
        "see_paths": "tables and globs are compared with paths from the root",
        "list_labels": "collection.info().labels lists the labels",
        "list_facts": "collection.info().facts lists the {plural}",
        "fewer_dimensions": (
            "embed the images with a model of fewer dimensions, too: collection.sync(model=…)"
        ),
        "reduce": (
            "{reader} reads them in batches, and fewer dimensions take less: collection.models.reduce(64)"
        ),
        "take_model": "this collection has {models}: add model={model!r}",
        "models_with_text": (
            "those that know text are {models} (collection.sync(model=…), then collection.search(…, model=…))"
        ),
        "take_cpu": "{first}, or take device='cpu'",
        "fetch_again": "delete {folder}: it is fetched again when it is needed",
        "fetch_commit": "fetch those, or make a collection of its own",
        "name_revision": "name another",
        "name_commit": "name another commit",
        "upgrade_or_commit": "upgrade lookalike, or name a commit",
        "carry_model": (
            "fetch it on another machine, carry its folder here and set LOOKALIKE_MODELS to the"
            " folder above it"
        ),
        "give_onnx": "{first}sync again with the path of the original ONNX file as model",
        "give_weights": "or name a file that you have as `weights`",
        "allow_private": "allow it with allow_private=True",
        "name_model": "{first}, or choose another name",
        "embed_with_it": "choose another name, or embed with it by collection.sync(model={model!r})",
        "same_settings": "go on with the same, take another name, or begin again with restart=True",
        "slower": "begin again with restart=True and a learning_rate below {rate:g}",
        "smaller_batches": "take a batch_size of {n} and restart=True, or a smaller size",
        "fit_batches": "take a batch_size of {n} or a smaller size",
        "smaller_size": "take a smaller size",
        "fewer_a_class": "take smaller min_images",
        "leave_classes_out": "add images, or leave such classes out with min_images=2",
        "another_loss": "add images, or take another loss",
        "build_anyway": "name it to have it built all the same: {kind!r}",
        "demo_folder": "remove it, or name another folder",
        "another_demo_folder": "name another folder",
        "demo_pictures": "name a folder of your own",
        "force_copy": "name another folder, or replace it with force=True",
        "force_folder": "name a new folder, or replace it with force=True",
        "force_export": "name another file, or write it anew with force=True",
        "begin_again": "begin again with restart=True",
    }
)
"""The words for Python, by kind of hint; what stands in braces are its facts."""

_LONGEST = 5_000  # letters of a sentence: more than the longest path


class Hint:
    """What to do about it: a kind of advice, and the facts that fill its words.

    Parameters
    ----------
    kind : str
        A key of `PYTHON`.
    **facts
        What the words name: texts, numbers, other hints. ``str(hint)`` is the advice for Python.

    Examples
    --------
    >>> print(Hint("both", first="take less", second=Hint("as_told", words="or make room")))
    take less; or make room
    """

    __slots__ = ("facts", "kind")

    def __init__(self, kind: str, /, **facts: object) -> None:
        if kind not in PYTHON:
            raise KeyError(kind)
        self.kind = kind
        self.facts = facts

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self.kind, self.facts)

    def __str__(self) -> str:
        return self.told(PYTHON)

    def __repr__(self) -> str:
        facts = (f", {name}={fact!r}" for name, fact in self.facts.items())
        return f"Hint({self.kind!r}{''.join(facts)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hint) and (self.kind, self.facts) == (other.kind, other.facts)

    def __hash__(self) -> int:
        return hash((self.kind, tuple(sorted(self.facts))))

    def told(self, words: Mapping[str, str]) -> str:
        """Return the advice in the words of a door: a table like `PYTHON`, with every kind."""
        facts: dict[str, Any] = {
            name: fact.told(words) if isinstance(fact, Hint) else fact for name, fact in self.facts.items()
        }
        return cut(words[self.kind].format(**facts))


def cut(sentence: str) -> str:
    """Leave out the middle of what nobody can read: it quotes what was given, whatever length that has."""
    if len(sentence) <= _LONGEST:
        return sentence
    return f"{sentence[: _LONGEST // 2]} … {sentence[-_LONGEST // 2 :]}"


_REFUSALS = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), Hint("make_room")),
    errno.EROFS: Hint("writable_disk"),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), Hint("more_handles")),
    **dict.fromkeys((errno.EIO, errno.ENXIO, errno.ENODEV, errno.ENOTCONN, errno.ESTALE), Hint("sound_disk")),
}
_NUMBER = re.compile(r"(?i)\b(?:os error|errno) (\d+)")


def refusal(error: BaseException | None) -> int | None:
    """Return the number of `errno` by which the system refused something, if it was that.

    Libraries in other languages write it into their message.

    >>> refusal(OSError(28, "No space left on device")), refusal(ValueError("cannot open x (os error 24)"))
    (28, 24)
    """
    number = getattr(error, "errno", None)
    if number is None and error is not None:
        found = _NUMBER.search(str(error))
        number = int(found[1]) if found else None
    return number


def way_out(error: BaseException | None) -> Hint | None:
    """Return what to do where the system refuses: the disk is full, say, or fails."""
    return _REFUSALS.get(refusal(error) or 0)


def _again(kind: str, facts: dict[str, object]) -> Hint:
    made = object.__new__(Hint)
    made.kind, made.facts = kind, facts
    return made


def join(*hints: Hint | str | None) -> Hint | None:
    """Return one hint that says all of several, in their order; those that are None say nothing."""
    said = [Hint("as_told", words=hint) if isinstance(hint, str) else hint for hint in hints if hint]
    if not said:
        return None
    return functools.reduce(lambda first, second: Hint("both", first=first, second=second), said)


class Sentence(str):
    """A sentence that keeps its hint, for lists of warnings and reasons."""

    hint: Hint | None

    def __new__(cls, words: str, hint: Hint | None = None) -> Sentence:
        """Join the two; the text is the sentence alone."""
        made = super().__new__(cls, words)
        made.hint = hint
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return Sentence, (str(self), self.hint)
