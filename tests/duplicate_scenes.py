"""A collection with pictures that are there twice, and groups of them made by hand."""

import hashlib
import shutil
from pathlib import Path

from lookalike import Collection
from lookalike.collection.duplicates.planning import plan
from lookalike.results.duplicates import DuplicateFile, DuplicateGroup, DuplicateGroups, DuplicateImage
from pictures import picture

MODEL = "pixels-8-grey"


class Scene:
    """A collection of pictures and their copies, and what is done with them.

    ``photos/a.png`` has a copy ``photos/copies/a.png``, and an edited one ``photos/copies/a-small.png``;
    ``photos/b.png`` has a copy ``photos/copies/b.png``; ``photos/c.png`` has none.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.photos = folder / "photos"
        self.trash = folder / "home" / "Trash"
        (self.photos / "copies").mkdir(parents=True)
        for number, name in enumerate("abc"):
            picture(number).save(self.photos / f"{name}.png")
        for name in "ab":
            shutil.copy(self.photos / f"{name}.png", self.photos / "copies" / f"{name}.png")
        picture(0, 60).save(self.photos / "copies" / "a-small.png")
        self.collection = Collection.create(self.photos, model=MODEL)
        self.sync()

    @property
    def resources(self):
        return self.collection._resources()

    def sync(self):
        """Bring the collection up to date."""
        return self.collection.sync()

    def id_of(self, name):
        """Return the id of an image by its file."""
        return self.collection.image_info(self.photos / name).id

    def stored(self, name):
        """Return how the collection keeps the place of a file."""
        return self.resources.places.stored(str(self.photos / name))

    def group(self, *images, kind="edited", probability=0.97):
        """Make a group: an image is a list of (name, keep) of its files."""
        made = []
        for number, files in enumerate(images):
            names = tuple(
                DuplicateFile(str(self.photos / name), self.stored(name), keep) for name, keep in files
            )
            turn_and_kind = (1, kind)
            made.append(
                DuplicateImage(self.id_of(files[0][0]), probability if number else 1.0, *turn_and_kind, names)
            )
        return DuplicateGroup(kind, probability, tuple(made))

    def usual(self):
        """Return the groups that there are: a with its copy and its small one, b with its copy."""
        return DuplicateGroups(
            (
                self.group([("a.png", True), ("copies/a.png", False)], [("copies/a-small.png", False)]),
                self.group([("b.png", True), ("copies/b.png", False)], kind="identical"),
            )
        )

    def plan(self, groups=None, **named):
        """Plan what is to be done with groups."""
        return plan(self.resources, self.usual() if groups is None else groups, **named)

    def pair(self, keep, go, kind="same"):
        """Plan a pair of files whose contents differ."""
        return self.plan(DuplicateGroups((self.group([(keep, True)], [(go, False)], kind=kind),)))

    def contents(self, *places):
        """Return the contents of all files below some folders, not of the collection, counted."""
        found = {}
        for place in places or (self.folder,):
            for file in sorted(place.rglob("*")):
                if file.is_file() and ".lookalike" not in file.parts and file.suffix != ".trashinfo":
                    digest = hashlib.sha256(file.read_bytes()).hexdigest()
                    found[digest] = found.get(digest, 0) + 1
        return found

    def tree(self, place=None):
        """Return the files below a folder, the photos by default: relative path to content and time."""
        place = place or self.photos
        return {
            file.relative_to(place).as_posix(): (file.read_bytes(), file.stat().st_mtime_ns)
            for file in sorted(place.rglob("*"))
            if file.is_file() and ".lookalike" not in file.parts
        }
