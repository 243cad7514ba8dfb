"""A small collection that has every kind of file, and all that can be asked of it."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lookalike import Addition, Collection, ImageRef, Vector
from lookalike.errors import LookalikeError
from lookalike.index import ivf_rq
from lookalike.store.checksums import CHECKSUMS

OWN, OTHER, REDUCED, BROUGHT = "pixels-8-grey", "pixels-8-rgb", "pixels-8-grey+pca4", "ours"
INDEXES = ("exact", "kmeans-tree", "kdtree", "annoy", "hnsw", "ivf-rq")
N_IMAGES = 72  # as many as rows as bytes need

Answers = dict[str, Any]


@contextlib.contextmanager
def small_indexes() -> Iterator[None]:
    """Have Lance's own index made also of few vectors, within."""
    before = ivf_rq._ALWAYS_EXACT, ivf_rq._TUNED_ROWS
    ivf_rq._ALWAYS_EXACT, ivf_rq._TUNED_ROWS = 32, 16
    try:
        yield
    finally:
        ivf_rq._ALWAYS_EXACT, ivf_rq._TUNED_ROWS = before


def make(photos: Path, n_images: int = N_IMAGES, indexes: tuple[str, ...] = INDEXES) -> None:
    """Make it in a folder, which must not be there."""
    random = np.random.default_rng(0)
    for number in range(n_images):
        place = photos / ("owls" if number % 2 else "hens") / f"{number:03}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        picture(random).save(place)
    (photos / "hens" / "broken.png").write_bytes(b"no picture at all")
    with Collection.create(photos, OWN) as made:
        made.sync()
        made.sync(model=OTHER)
        made.models.reduce(4)
        hits, _ = made.vectors(OWN)
        rows = random.normal(size=(len(hits), 16))
        made.add_vectors(BROUGHT, [hit.id for hit in hits], rows)
        for key in ("first", "second"):
            stream = io.BytesIO()
            picture(random).save(stream, "PNG")
            made.add([Addition(stream.getvalue(), key, {"price": len(key)})])
        content = (photos / "owls" / "001.png").read_bytes()
        made.add([(content, "third")])
        made.sync()
        made.clusterings.make(k=3)
        made.clusterings.rename("kmeans", 0, "zero")
        made.clusterings.make(k=2, name="plain")
        made.maps.make("pca")
        ids = [hit.id for hit in hits[:6]]
        made.sets.add("best", ids)
        made.labels.give(ids[:2], "barn")
        made.labels.give(ids[2:3], "shed")
        made.decisions.decide(ids[0], ids[1], "not_duplicate")
        with small_indexes():
            for kind in indexes:
                for _ in range(2):
                    made.search(Vector(rows_of(made, hits[0].id)), k=3, index=kind)
    begin_training(photos / ".lookalike/training/ours-trained")


def rows_of(collection: Collection, image: int) -> np.ndarray:
    """Return the vector of an image, (d,) float32."""
    hits, vectors = collection.vectors(OWN)
    return vectors[next(row for row, hit in enumerate(hits) if hit.id == image)]


def picture(random: np.random.Generator) -> Image.Image:
    """Return a picture that is like no other."""
    return Image.fromarray(random.integers(0, 255, (5, 5, 3), dtype=np.uint8)).resize(
        (60, 48), Image.Resampling.BICUBIC
    )


def begin_training(folder: Path) -> None:
    """Write a training that has come as far as a checkpoint."""
    from lookalike.train.run_folder import _CHECKPOINT, _MAGIC, RunFolder, RunImages
    from lookalike.train.split import Split

    folder.mkdir(parents=True)
    empty = np.empty(0, np.intp)
    images = RunImages(np.arange(3), None, Split(np.arange(3), empty, empty))
    RunFolder(folder).begin({"epochs": 3}, {"size": 8}, images)
    (folder / _CHECKPOINT).write_bytes(_MAGIC + hashlib.sha256(b"state").digest() + b"state")


def ask(photos: Path) -> Answers:
    """Ask all that can be asked; an answer may be the line of an error, ``("refused", line)``.

    Whatever else is raised is passed on: that is a fault.
    """
    found: Answers = {}
    told: list[str] = []
    with warnings.catch_warnings(record=True) as caught, small_indexes():
        warnings.simplefilter("always")
        try:
            with Collection.open(photos, above=False) as opened:
                for name, question in _questions(photos, told).items():
                    found[name] = _answer(opened, question)
        except LookalikeError as error:
            found["open"] = ("refused", _line(error))
        told += [str(each.message) + _hint_of(each.message) for each in caught]
        for words in COMMANDS:
            found[words] = _command(photos, words, told)
    found["told"] = sorted(set(told))
    return found


COMMANDS = (
    "search owls/003.png -k 4 --json",
    "list --json",
    "info --json",
    "cluster show kmeans --json",
    "map list --json",
    "changes --json",
)
_OF_THE_MOMENT = ("seconds", "bytes", "bytes_by_part", "size")


def _command(photos: Path, words: str, told: list[str]) -> Any:
    """Run a command in this process; return its document, or the line of its refusal."""
    from lookalike.cli import main

    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    code: Any = 0
    before = os.getcwd()
    os.chdir(photos)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main(words.split())
            except SystemExit as left:
                code = left.code
    finally:
        os.chdir(before)
    text, lines = (stream.buffer.getvalue().decode() for stream in (out, err))  # type: ignore[attr-defined]
    complaints = lines.splitlines()
    if any(not line.startswith("lookalike: ") for line in complaints):
        raise AssertionError(f"{words}: {lines[-300:]}")
    if code == 2 and not text and len(complaints) >= 1:
        told.extend(complaints[:-1])
        return ("refused", complaints[-1])
    if code:
        raise AssertionError(f"{words}: exit code {code}, {len(text)} characters, {lines[-300:]}")
    told.extend(complaints)
    document = json.loads(text)
    return {name: value for name, value in document.items() if name not in _OF_THE_MOMENT}


def _hint_of(message: Any) -> str:
    inner = message.args[0] if getattr(message, "args", None) else ""
    hint = getattr(message, "hint", None) or getattr(inner, "hint", None)
    return f"; {hint}" if hint is not None else ""


def _line(error: LookalikeError) -> str:
    return str(error) + (f"; {error.hint}" if error.hint else "")


def _answer(opened: Collection, question: Callable[[Collection], Any]) -> Any:
    try:
        return question(opened)
    except LookalikeError as error:
        return ("refused", _line(error))


def _questions(photos: Path, told: list[str]) -> dict[str, Callable[[Collection], Any]]:
    query = str(photos / "owls" / "003.png")

    def hits(result: Any) -> list[Any]:
        told.extend(str(each) + _hint_of(each) for each in result.warnings)
        return [(hit.id, round(float(hit.distance), 5), os.path.basename(hit.path)) for hit in result.hits]

    def search(**options: Any) -> Callable[[Collection], Any]:
        return lambda opened: hits(opened.search(query, k=5, **options))

    def search_twice(**options: Any) -> Callable[[Collection], Any]:
        def ask_twice(opened: Collection) -> Any:
            first = hits(opened.search(query, k=5, **options))
            return first, hits(opened.search(query, k=5, **options))

        return ask_twice

    def listing(opened: Collection) -> Any:
        found = opened.browse(k=1_000)
        told.extend(str(each) + _hint_of(each) for each in found.warnings)
        return [
            (hit.id, hit.label, sorted(hit.fields.items()), sorted(hit.clusters.items()))
            for hit in found.hits
        ]

    questions: dict[str, Callable[[Collection], Any]] = {
        "own model": search(),
        "other model": search(model=OTHER),
        "reduced": search(model=REDUCED),
        "brought": lambda opened: hits(opened.search(ImageRef(_some_id(opened)), k=5, model=BROUGHT)),
        "added": lambda opened: hits(opened.search("added:first", k=4)),
        "list": listing,
        "info": lambda opened: _facts(opened),
        "image": lambda opened: _image_facts(opened, query),
        "thumbnails": lambda opened: sorted(
            (image, hashlib.sha256(jpeg).hexdigest())
            for image, jpeg in opened.thumbnails([hit.id for hit in opened.browse(k=1_000).hits]).items()
        ),
        "clustering": lambda opened: [
            (cluster.number, cluster.name, cluster.size)
            for cluster in opened.clusterings.get("kmeans").clusters
        ],
        "plain": lambda opened: [
            (cluster.number, cluster.name, cluster.size)
            for cluster in opened.clusterings.get("plain").clusters
        ],
        "map": lambda opened: np.round(opened.maps.get("pca").points, 5).tolist(),
        "sets": lambda opened: [(name, opened.sets.images(name).tolist()) for name in opened.sets.names()],
        "changes": lambda opened: [(each.number, each.words) for each in opened.changes.list()],
        "decisions": lambda opened: sorted(str(each) for each in opened.decisions.list()),
        "failures": lambda opened: [os.path.basename(each.path) for each in opened.info().failures],
    }
    for kind in INDEXES:
        questions[f"index {kind}"] = search_twice(index=kind) if kind == "exact" else search(index=kind)
    return questions


def _some_id(opened: Collection) -> str:
    ids = sorted(hit.id for hit in opened.browse(k=1_000).hits if "added" not in str(hit.keys))
    return f"{ids[0]:016x}"


def _facts(opened: Collection) -> Any:
    document = opened.info().to_dict(os.path.basename, str)
    for name in _OF_THE_MOMENT:
        document.pop(name, None)
    return document


def _image_facts(opened: Collection, query: str) -> Any:
    return opened.image_info(query).to_dict(os.path.basename, str)


def copy(photos: Path, to: Path) -> None:
    """Copy a collection with its images by hard links: what is damaged in the copy has to be written anew.

    But for what lookalike adds lines to.
    """
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(photos, to, copy_function=_link)


def _link(file: str, to: str) -> None:
    name = os.path.basename(file)
    if name == CHECKSUMS or name.startswith("lock"):
        shutil.copy2(file, to)
    else:
        os.link(file, to)
