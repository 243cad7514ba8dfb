"""A small collection with something of everything, for calls to be tried on."""

from __future__ import annotations

import functools
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import lookalike
from lookalike import Collection

PER_CLASS = 6


class Scene:
    """Twelve pictures of two classes, clustered, mapped and spoken of; `renew` makes it again as it was."""

    def __init__(self, folder: Path) -> None:
        self._template, self._folder = folder / "template", folder / "scene"
        self.scratch = folder / "scratch"
        self.inside = folder / "outside" / "inside" / "inside" / "inside"
        _make(self._template)
        self.renew()

    def renew(self) -> None:
        """Put everything back as it was made."""
        for name in [
            name for name in vars(self) if not name.startswith("_") and name not in ("scratch", "inside")
        ]:
            delattr(self, name)
        for place in (self._folder, self.scratch, self.inside):
            shutil.rmtree(place, ignore_errors=True)
        self.scratch.mkdir(parents=True)
        self.inside.mkdir(parents=True)
        os.chdir(self.inside)  # absurd names are made here, those that lead upwards, too
        shutil.copytree(self._template, self._folder)

    @property
    def photos(self) -> Path:
        """The folder of the collection."""
        return self._folder / "photos"

    @property
    def photo(self) -> Path:
        """One of its images."""
        return self.photos / "cats" / "0.png"

    @functools.cached_property
    def collection(self) -> Collection:
        """The collection, open."""
        return Collection.open(self.photos)

    def added_root(self) -> Path:
        """Add a folder to the collection, move it to ``scratch/moved``, and return where it was."""
        place = self.scratch / "root"
        if (self.scratch / "moved").exists():  # by a call before, which was refused
            return place
        shutil.copytree(self.photos / "cats", place)
        self.collection.add_root(place)
        place.rename(self.scratch / "moved")
        return place

    @functools.cached_property
    def found(self) -> Any:
        """What a search found."""
        return self.collection.search(str(self.photo), k=3)

    @functools.cached_property
    def ids(self) -> list[int]:
        """Of all images."""
        return [int(each) for each in self.collection.browse().ids]


def _make(folder: Path) -> None:
    photos = folder / "photos"
    for number in range(2 * PER_CLASS):
        place = photos / ("cats" if number < PER_CLASS else "dogs")
        place.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).integers(0, 255, (4, 4, 3), np.uint8)
        noise[..., number % 3] //= 2
        Image.fromarray(noise).resize((64, 48)).save(place / f"{number}.png")
    collection = Collection.create(photos)
    collection.sync()
    collection.clusterings.make("kmeans", 2, name="groups")
    collection.clusterings.rename("groups", 0, "first")
    collection.maps.make("pca", "map")
    collection.fields.set({"cats/0.png": {"price": 3.5, "shop": "A"}, "dogs/7.png": {"price": 1.0}})
    ids = [int(each) for each in collection.browse().ids]
    collection.sets.add("set", ids[:3])
    collection.labels.give(ids[:2], "owl")
    collection.decisions.decide(ids[0], ids[1], "alternates")
    collection.feedback.judge(lookalike.ImageRef(ids[0]), ids[2], "yes")
    rows = np.random.default_rng(0).normal(size=(len(ids), 5)).astype(np.float32)
    collection.add_vectors("own", ids, rows)
    collection.models.reduce(2, "own")
    collection.add([((photos / "cats" / "0.png").read_bytes(), "there")])
    collection.close()
