"""Images added by call: their bytes are kept in the collection, under a key that the caller gives them.

They are taken in some hundred at a time. Of each batch it is found out what is there already; what is new is
described and embedded; then the rows are written in the order of `lookalike.store.store`: the kept files are
on the disk before any row names them, and a row of ``files`` comes last. So whoever is killed leaves each
image whole, as it was or as it is to be, and the next call goes on from there.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence, Sized
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np
import numpy.typing as npt

from lookalike.collection.embedded import vector_table
from lookalike.collection.fields.writing import FieldKinds, FileFields, write_fields
from lookalike.collection.manifest_file import ManifestFile
from lookalike.collection.models.embedding import EmbeddingModels
from lookalike.collection.own_vectors import check_vector, own_model, write_own_vectors
from lookalike.collection.resources import Resources
from lookalike.collection.statements.carrying import Carrying
from lookalike.embed import Compute, Model, Outputs
from lookalike.errors import CollectionConflictError, ImageError, InvalidInputError, LookalikeError
from lookalike.images import FileStat, content_id
from lookalike.images.decode import MAX_FILE_BYTES, read_file, read_open_file
from lookalike.images.formats import recognize_file
from lookalike.query.terms import Pixels
from lookalike.results.adding import AddedImage, AddOutcome, AddReport
from lookalike.store import ADDED, Store, Turn, Wait, writer_lock
from lookalike.store.store import Changes, FileRow
from lookalike.store.swept import staying_swept
from lookalike.sync import Done, FoundFile, IndexedState, Work, Worker, work_through
from lookalike.system.progress import Progress
from lookalike.types import FieldValue, ImageId, PixelArray

if TYPE_CHECKING:
    from PIL.Image import Image

LONGEST_KEY = 512
"""Characters; a key is as long as a path may be, and shorter than what a table's index takes."""

_BATCH = 512
_BATCH_BYTES = 1 << 28
_SHOWN = 80  # characters of a key that is none

Content: TypeAlias = Union[bytes, str, os.PathLike[str], Pixels, PixelArray, "Image", IO[bytes]]
"""The bytes of an image file, its path, an open file; or pixels, or Pillow's image, which are kept as PNG."""


@dataclass(frozen=True, slots=True)
class Addition:
    """An image to be added; see `Collection.add`.

    Attributes
    ----------
    content : bytes, path, open file, image of Pillow's, or an array or Pixels, as `Pixels` takes them
    key : str
    fields : mapping of str to value
        Own fields, by name; None for what is not to be known any more.
    label : str, optional
        Such as others have from their folder. Without one, that which is there stays.
    vectors : mapping of str to (d,) floats
        Of models whose vectors are brought along, by name; see `Collection.add_vectors`.
    """

    content: Content
    key: str
    fields: Mapping[str, FieldValue | None] = field(default_factory=dict)
    label: str | None = None
    vectors: Mapping[str, npt.ArrayLike] = field(default_factory=dict)


AnyAddition: TypeAlias = Addition | tuple[Content, str] | tuple[Content, str, Mapping[str, FieldValue | None]]


@dataclass(frozen=True, slots=True)
class AddRequest:
    """How images are added; see `Collection.add`."""

    embed: bool
    compute: Compute
    wait: Wait


def check_key(key: object) -> str:
    """Return a key.

    Raises
    ------
    InvalidInputError
        If it is no text, is empty, too long, blank at an end, or cannot be printed.
    """
    if not isinstance(key, str):
        raise InvalidInputError(f"the key is {_shown(key)}; expected a text", field="key")
    if not 0 < len(key) <= LONGEST_KEY:
        raise InvalidInputError(
            f"the key has {len(key):,} characters; expected 1 to {LONGEST_KEY}", field="key"
        )
    if key != key.strip() or not key.isprintable():
        raise InvalidInputError(
            f"the key is {_shown(key)}; expected characters that can be printed, and none blank at its ends",
            field="key",
        )
    return str(key)


def add(
    resources: Resources,
    manifest_file: ManifestFile,
    additions: Iterable[AnyAddition],
    request: AddRequest,
    work: Work,
) -> AddReport:
    """Add images; see `Collection.add`."""
    started = time.monotonic()
    store = resources.live
    _refuse_folder_of_that_name(resources)
    total = len(additions) if isinstance(additions, Sized) else None
    turn = Turn(request.wait, "adding images", work.watch)
    with writer_lock(store.folder, turn), staying_swept(store.folder):
        manifest_file.bring_up_to_date(store)
        _begin(store)
        work = replace(work, thumbnail_side=manifest_file.manifest.thumbnail_side)
        adder = _Adder(resources, request, work, total)
        for batch in _batches(additions, adder.rows):
            adder.add(batch)
        store.maintain()
        store.kept.end()
    return AddReport(tuple(map(_there, adder.rows)), adder.embedded, time.monotonic() - started)


def remove(resources: Resources, manifest_file: ManifestFile, keys: Iterable[str], turn: Turn) -> int:
    """Remove images that were added; see `Collection.remove`."""
    if isinstance(keys, str):
        keys = [keys]
    paths = list(dict.fromkeys(f"{ADDED}:{check_key(key)}" for key in keys))
    store = resources.live
    _refuse_folder_of_that_name(resources)
    with writer_lock(store.folder, turn), staying_swept(store.folder):
        manifest_file.bring_up_to_date(store)
        _begin(store)
        rows = store.files.read_where_in("path", paths, ["path", "id"]).to_pylist()
        gone = [row["path"] for row in rows]
        if gone:
            store.files.delete(gone)
            store.fields.forget(gone)
            store.failures.delete(gone)
            store.sweep_images(row["id"] for row in rows)
            store.maintain()
        store.kept.end()
    return len(gone)


def _begin(store: Store) -> None:
    """Sweep what somebody left who was killed; the writer's lock is held."""
    if store.kept.begin():
        store.sweep_added()
        store.kept.begin()


def _refuse_folder_of_that_name(resources: Resources) -> None:
    """Raise CollectionConflictError if a root has the name that stands for images added by call."""
    if not resources.places.holds_added:
        raise CollectionConflictError(
            f"a folder of this collection is called {ADDED!r}, which is what images added by call are called",
            hint="make a collection of its own for these",
        )


@dataclass(frozen=True, slots=True)
class _Item:
    """An image that is to be added, as far as it can be told without looking into it."""

    number: int
    key: str
    content: bytes
    image: ImageId
    fields: Mapping[str, FieldValue | None]
    label: str | None
    vectors: Mapping[str, npt.ArrayLike]

    @property
    def path(self) -> str:
        return f"{ADDED}:{self.key}"


def _batches(additions: Iterable[AnyAddition], rows: list[AddedImage | None]) -> Iterator[list[_Item]]:
    """Yield what can be added, some at a time; `rows` gets a place for each, and why others cannot."""
    batch: list[_Item] = []
    size = 0
    for number, addition in enumerate(_checked(additions)):
        rows.append(None)
        try:
            item = _read(number, addition)
        except (LookalikeError, MemoryError) as error:
            rows[number] = AddedImage(_shown_key(addition), "failed", reason=_reason(error))
            continue
        batch.append(item)
        size += len(item.content)
        if len(batch) == _BATCH or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _checked(additions: Iterable[AnyAddition]) -> Iterable[AnyAddition]:
    if isinstance(additions, str | bytes | Addition | Mapping) or not isinstance(additions, Iterable):
        raise InvalidInputError(
            f"what is to be added is {_shown(additions)}; expected a list of (content, key) or"
            " (content, key, fields)"
        )
    return additions


def _read(number: int, given: AnyAddition) -> _Item:
    """Check what was given, and read its bytes."""
    if isinstance(given, tuple) and len(given) in (2, 3):
        given = Addition(*given)
    if not isinstance(given, Addition):
        raise InvalidInputError(
            f"got {_shown(given)}; expected (content, key), (content, key, fields) or an Addition"
        )
    key = check_key(given.key)
    for name, value in (("fields", given.fields), ("vectors", given.vectors)):
        if not isinstance(value, Mapping):
            raise InvalidInputError(f"{name} is {_shown(value)}; expected a mapping by name", field=name)
    if given.label is not None and (not isinstance(given.label, str) or not given.label.strip()):
        raise InvalidInputError(f"label is {_shown(given.label)}; expected a text", field="label")
    content = _bytes_of(given.content)
    return _Item(number, key, content, content_id(content)[0], given.fields, given.label, given.vectors)


def _bytes_of(content: Any) -> bytes:
    """Return the bytes of an image file."""
    from PIL import Image as Pillow

    if isinstance(content, str | os.PathLike):
        return read_file(Path(content))
    if isinstance(content, Pixels | np.ndarray | Pillow.Image):
        pixels = content if isinstance(content, Pixels) else Pixels(content)
        if pixels.region is not None:
            raise InvalidInputError("the pixels have a region; expected whole pictures", field="region")
        return pixels.as_file()
    if not isinstance(content, bytes | bytearray | memoryview) and callable(getattr(content, "read", None)):
        try:
            content = read_open_file(content)
        except (OSError, ValueError) as error:
            raise InvalidInputError(f"the open file cannot be read: {error}", field="content") from error
    if not isinstance(content, bytes | bytearray | memoryview):
        raise InvalidInputError(
            f"the content is {_shown(content)}; expected bytes, a path, an open file or pixels",
            field="content",
        )
    if len(content) > MAX_FILE_BYTES:
        raise InvalidInputError(f"it has {len(content) / (1 << 30):.1f} GiB; at most 1 GiB is read")
    if not content:
        raise InvalidInputError("it is empty", field="content")
    return bytes(content)


@dataclass(frozen=True, slots=True)
class _State:
    """What is known of a batch before anything is done.

    Attributes
    ----------
    files : mapping of str to FileRow
        By stored path, what stands under its keys.
    known : IndexedState
    notes : mapping of ImageId to str
        What is missing of those of its images that are there already.
    """

    files: Mapping[str, FileRow]
    known: IndexedState
    notes: Mapping[ImageId, str]


class _Adder:
    """Adds batch after batch; the writer's lock is held."""

    def __init__(self, resources: Resources, request: AddRequest, work: Work, total: int | None) -> None:
        self.rows: list[AddedImage | None] = []
        self.embedded = 0
        self._resources = resources
        self._store = resources.live
        self._how = work
        self._watch = work.watch
        self._total = total
        self._kinds = FieldKinds(self._store.fields)
        self._seen: dict[str, tuple[ImageId, Mapping[str, object]]] = {}
        self._own_models: dict[str, Model] = {}
        self._failed = 0
        name = resources.model(None).name
        self._models = EmbeddingModels.choose(resources, name, request.compute) if request.embed else None
        self._model = resources.model(None)
        self._is_loaded = False
        # What was said of a picture goes over to an edited one, as for a file that was edited.
        self._carrying = Carrying(self._store, resources.snapshots.journal, work.jobs)
        self._carrying.compares_all = bool(resources.clusterings.names())

    def add(self, batch: Sequence[_Item]) -> None:
        """Add some; what has been done is written also where it is stopped."""
        items = [item for item in batch if self._accepts(item)]
        state = self._look(items)
        settled = state.known.embedded
        work = {item.image: item for item in reversed(items) if item.image not in settled}
        results: dict[ImageId, Done] = {}
        n_before = len(self.rows) - len(batch)
        try:
            for image, done in self._work(work, state.known):
                results[image] = done
                n_done = n_before + len(results)
                self._watch(
                    Progress("adding", n_done, self._total, "adding images", self._failed, unit="images")
                )
        finally:
            done_with = [item for item in items if item.image in settled or item.image in results]
            self._write(done_with, state, results)
        self._watch(
            Progress("adding", len(self.rows), self._total, "adding images", self._failed, unit="images")
        )

    def _accepts(self, item: _Item) -> bool:
        """Check all that does not need the picture; where it is wrong, say so in the rows."""
        first = self._seen.setdefault(item.key, (item.image, item.fields))
        try:
            if first[0] != item.image or not _are_same(first[1], item.fields):
                raise InvalidInputError(
                    f"the key {item.key!r} comes a second time, with something else; the first one counts"
                )
            if first[1] is not item.fields:  # word for word the same
                self.rows[item.number] = AddedImage(item.key, "unchanged", item.image)
                return False
            for name, vector in item.vectors.items():
                check_vector(vector, self._own_model(name))
            self._kinds.check(item.fields)
            return True
        except LookalikeError as error:
            self._fail(item, _reason(error))
            return False

    def _own_model(self, name: str) -> Model:
        if name not in self._own_models:
            self._own_models[name] = own_model(self._resources.models, name)
        return self._own_models[name]

    def _fail(self, item: _Item, reason: str) -> None:
        self._failed += 1
        self.rows[item.number] = AddedImage(item.key, "failed", reason=reason)

    def _look(self, items: Sequence[_Item]) -> _State:
        store, images = self._store, {item.image for item in items}
        columns = store.files.schema.names
        files = store.files.read_where_in("path", [item.path for item in items], columns).to_pylist()
        described = set(images)
        for table in (store.images, store.thumbnails):
            described &= set(table.read_where_in("id", described, ["id"])["id"].to_pylist())
        embedded = set(described)
        if self._models is not None:
            table = vector_table(store, self._model)
            embedded &= set(table.read_where_in("id", described, ["id"])["id"].to_pylist())
        notes = store.files.read_where_in("id", embedded, ["id", "note"], "note IS NOT NULL").to_pylist()
        return _State(
            {row["path"]: FileRow(**row) for row in files},
            IndexedState({}, {}, described, embedded),
            {row["id"]: row["note"] for row in notes},
        )

    def _work(self, work: Mapping[ImageId, _Item], known: IndexedState) -> Iterator[tuple[ImageId, Done]]:
        """Describe and embed images, each once, as they come."""
        if not work:
            return
        embedders = []
        if self._models is not None:
            if not self._is_loaded:
                self._models.prepare(self._models.networks, self._watch)
                self._is_loaded = True
            embedders = [self._models.registry.load(self._model.name, self._models.compute)]
        self._store.load()
        images = {item.path: image for image, item in work.items()}
        files = deque(
            FoundFile(item.path, Path(), _stat(item), item.label, content=item.content)
            for item in reversed(list(work.values()))
        )
        worker = Worker(embedders, known, self._how)
        for done in work_through(worker, files, self._how):
            yield images[done.file.path], done

    def _write(self, items: Sequence[_Item], state: _State, results: Mapping[ImageId, Done]) -> None:
        """Write what could be read, whole; what could not is said in the rows."""
        ready = []
        for item in items:
            unread = results[item.image].unread if item.image in results else None
            if unread is None:
                ready.append(item)
            else:
                self._fail(item, unread.reason)
        if not ready:
            return
        store = self._store
        self._keep({item.image: item for item in reversed(ready)})
        good = [done for done in results.values() if done.unread is None]
        outputs = {done.id: done.outputs[0] for done in good if done.id is not None and done.outputs}
        vectors = {image: output.vectors for image, output in outputs.items()}
        sides = Outputs.stack(list(outputs.values())).sides if outputs else {}
        images = [done.image for done in good if done.image is not None]
        table = store.files if self._models is None else vector_table(store, self._model)
        store.write(Changes(vectors=vectors, images=images, sides=sides), table)
        self.embedded += len(vectors)
        self._write_vectors(ready)
        said = []
        for item in ready:
            old = state.files.get(item.path)
            if item.fields:
                said.append(FileFields(item.path, item.image, self._kinds.check(item.fields)))
            if item.fields and old is not None and old.id != item.image:
                said.append(FileFields(item.path, old.id, {}, is_held=True))
        changed = write_fields(store.fields, self._kinds, said, of_path_only=True)
        self._write_files(ready, state, results, changed)

    def _keep(self, items: Mapping[ImageId, _Item]) -> None:
        """Write the files that are to be kept; they are on the disk then."""
        kept = self._store.kept
        new = [item for item in items.values() if not kept.has(item.image, len(item.content))]
        with ThreadPoolExecutor(self._how.jobs, thread_name_prefix="lookalike") as pool:
            list(pool.map(lambda item: kept.write(item.image, item.content, _ending(item)), new))
        kept.flush(item.image for item in new)

    def _write_vectors(self, items: Sequence[_Item]) -> None:
        for name, model in self._own_models.items():
            vectors = {
                item.image: check_vector(item.vectors[name], model) for item in items if name in item.vectors
            }
            if vectors:
                ids = np.array(list(vectors), np.int64)
                write_own_vectors(self._resources, model, ids, np.stack(list(vectors.values())))

    def _write_files(
        self,
        items: Sequence[_Item],
        state: _State,
        results: Mapping[ImageId, Done],
        changed: Container[str],
    ) -> None:
        """Write the rows that promise all the rest; then sweep what was replaced."""
        rows: list[FileRow] = []
        replaced: list[tuple[FileRow, FileRow]] = []
        now = time.time_ns()
        for item in items:
            old = state.files.get(item.path)
            label = item.label if item.label is not None or old is None else old.label
            note = results[item.image].note if item.image in results else state.notes.get(item.image)
            outcome: AddOutcome = "changed" if item.path in changed else "unchanged"
            if old is None or old.id != item.image or old.label != label:
                rows.append(FileRow(item.path, item.image, len(item.content), now, label, note=note or None))
                outcome = "added" if old is None else "changed"
            if old is not None and old.id != item.image:
                replaced.append((old, rows[-1]))
            self.rows[item.number] = AddedImage(item.key, outcome, item.image)
        if replaced:
            self._carrying(replaced, Changes(files=rows))
        self._store.write_files(rows)
        if replaced:
            self._store.fields.forget_replaced({new.path: new.id for _, new in replaced})
            same = [each for each in replaced if each[1].path not in self._carrying.different]
            self._resources.clusterings.carry_over({new.id: old.id for old, new in same})
            self._store.sweep_images(old.id for old, _ in replaced)


def _stat(item: _Item) -> FileStat:
    return FileStat(len(item.content), time.time_ns())


def _ending(item: _Item) -> str:
    """Return what the name of a kept file ends in, for those who open it: as files of its format do."""
    kind = recognize_file(item.content, item.key)
    return "" if kind is None else kind.extensions[0]


def _are_same(one: object, other: object) -> bool:
    try:
        return bool(one == other)
    except ValueError:  # arrays among them
        return False


def _there(row: AddedImage | None) -> AddedImage:
    assert row is not None  # each was added, or failed
    return row


def _reason(error: BaseException) -> str:
    if isinstance(error, ImageError):
        return error.reason
    return "not enough memory to read it" if isinstance(error, MemoryError) else str(error)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _shown_key(given: object) -> str:
    """Return the key of what could not be read, if it has one."""
    key: object = given
    if isinstance(given, Addition):
        key = given.key
    elif isinstance(given, tuple) and len(given) in (2, 3):
        key = given[1]
    return key if isinstance(key, str) and len(key) <= LONGEST_KEY else _shown(key)
