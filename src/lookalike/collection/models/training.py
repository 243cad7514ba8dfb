"""Networks trained on the images of a collection, and kept as models of its own."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lookalike import datasets
from lookalike.collection.evaluation.ground_truth import read_ground_truth
from lookalike.collection.places import Places
from lookalike.collection.resources import Resources
from lookalike.embed import ModelRegistry, base_name
from lookalike.embed.local import keep_local
from lookalike.errors import (
    CollectionConflictError,
    ImageDamagedError,
    InvalidInputError,
    ModelError,
)
from lookalike.hints import Hint
from lookalike.images.decode import read_file
from lookalike.index.kinds import kind_names
from lookalike.store import Turn, writer_lock
from lookalike.system.checked_calls import shown
from lookalike.system.progress import Watch
from lookalike.system.wording import count_of
from lookalike.train import (
    AutoencoderSettings,
    FinetuneSettings,
    RunFolder,
    Running,
    Trained,
    TrainingImages,
)
from lookalike.train.integer_form import integer_name
from lookalike.train.trainings import training_of
from lookalike.types import PixelArray


def train_model(
    resources: Resources,
    settings: AutoencoderSettings | FinetuneSettings,
    labels: str | os.PathLike[str] | None,
    running: Running,
    watch: Watch,
) -> Trained:
    """Train a network and keep it; see `Models.train`."""
    training = training_of(settings)
    if not isinstance(running, Running):
        raise InvalidInputError(f"running is {shown(running)}; expected Running", field="running")
    if labels is not None and not training.takes_labels:
        raise InvalidInputError(
            f"labels is {shown(labels)}, but an {training.name} learns without",
            field="labels",
            hint="leave it out",
        )
    if labels is not None and not isinstance(labels, str | os.PathLike):
        raise InvalidInputError(
            f"labels is {shown(labels)}; expected a CSV file or the name of a clustering", field="labels"
        )
    places, registry, folder = resources.places, resources.models, resources.store.folder
    name = settings.model_name
    run = RunFolder(folder / "training" / name)
    try:
        registry.check_free(name)
    except ModelError:
        run.remove()  # left by a kill between keeping the model and forgetting how it came about
        raise
    rounded = integer_name(name) if isinstance(settings, FinetuneSettings) else None
    if rounded is not None and not run.folder.exists():  # else a kill may have left it
        registry.check_free(rounded)
    for each in filter(None, (name, rounded)):
        _check_nothing_is_left(places, registry, each)
    images = _labeled(places, labels) if training.takes_labels else _images(places)
    trained = training.train(images, settings, run, running, watch)
    # Whoever is at it: hours of work are not to be thrown away.
    with writer_lock(folder, Turn(None, "keeping a trained model", watch)):
        # Once the model is there, all of it is: what a kill leaves is written again.
        if trained.integer is not None:
            keep_local(trained.integer, registry.folder)
        registry.add_trained(trained.local, trained.files())
    run.remove()
    return trained


def _check_nothing_is_left(places: Places, registry: ModelRegistry, name: str) -> None:
    """Raise CollectionError if there are vectors of an earlier model of that name, which is gone itself.

    They would be taken for the new one's.
    """
    reduced = [each for each in registry.reduced() if base_name(each) == name]
    tables = [each for each in places.store.vector_tables() if name in (each, base_name(each))]
    indexes = [f"{each}-{kind}" for each in {name, *reduced, *tables} for kind in kind_names()]
    left = [f"models/{each}.npz" for each in reduced] + [f"vectors/{each}.lance" for each in tables]
    left += [
        f"indexes/{each}" for each in sorted(indexes) if (places.store.folder / "indexes" / each).exists()
    ]
    if left:
        raise CollectionConflictError(
            f"the model {name} is gone, but what was made with it is still in {places.store.folder}:"
            f" {', '.join(left)}",
            hint=Hint("name_model", first="delete that too"),
        )


def _images(places: Places) -> TrainingImages:
    rows = places.store.files.read(["path", "id", "split"]).to_pylist()
    if not rows:
        raise CollectionConflictError(
            f"the collection in {places.store.folder} holds no images", hint=Hint("sync", then=" first")
        )
    stored: dict[int, str] = {}
    tested = set()
    for row in sorted(rows, key=lambda row: str(row["path"])):
        stored.setdefault(row["id"], row["path"])
        if row["split"] == "test":  # also where a copy is of another split
            tested.add(row["id"])
    ids = np.array(sorted(stored), np.int64)
    is_test = np.isin(ids, np.array(sorted(tested), np.int64))
    return TrainingImages(ids, _reader(places, stored), None, is_test)


def _labeled(places: Places, given: str | os.PathLike[str] | None) -> TrainingImages:
    """Return the images that have a label."""
    every = _images(places)
    truth = read_ground_truth(places, places.of_images(), given)
    rows = [row for row, image in enumerate(every.ids.tolist()) if image in truth.labels]
    labels = [truth.labels[int(every.ids[row])] for row in rows]
    is_test = None if every.is_test is None else every.is_test[rows]
    source = truth.source
    if truth.unknown:
        paths = count_of(len(truth.unknown), "path")
        source += f", {paths} of which not in this collection ({truth.unknown[0]}, say)"
    asked = None if given is None else os.fspath(given)
    return TrainingImages(every.ids[rows], every.read, labels, is_test, source, asked)


def _reader(places: Places, stored: dict[int, str]) -> Callable[[int], tuple[str, bytes | PixelArray]]:
    """Return what reads an image, by its id, from the first place where it lies."""
    sets = set(places.datasets)
    lock = threading.Lock()

    @functools.cache
    def load(name: str) -> datasets.Dataset:
        return datasets.load(name)

    def read(image: int) -> tuple[str, bytes | PixelArray]:
        path = stored.get(image)
        if path is None:
            raise ImageDamagedError(f"the image {image:016x}", "it is no longer in the collection")
        root, _, inside = path.partition(":")
        if root not in sets:
            name = places.snapshot.absolute(path, image)
            return name, read_file(Path(name))
        split, _, row = inside.partition("/")
        with lock:  # loaded once, by whichever thread comes first
            dataset = load(root)
        X, _ = dataset.split("test" if split == "test" else "train")
        return path, X[int(row)]

    return read
