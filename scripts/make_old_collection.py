"""Make the small collection that tests open with every later version: ``format-N.tar.gz``.

Run once with each version that has a format of its own, before the next one comes:

    PYTHONPATH=src python scripts/make_old_collection.py tests/collection/collections/format-5.tar.gz

Ten pictures, one of them in Display P3, one with a date and a place, one that is no picture; two models, one
of them reduced; and what the version knows of: a clustering with a name given by hand, a map; an image that
was added, fields, and what people said. For a version that is no longer here, a worktree of it:

    git worktree add /tmp/old eebee34~1 --detach      # format 1; 0.4.0 is the last of format 4
    PYTHONPATH=/tmp/old/src python scripts/make_old_collection.py tests/collection/collections/format-1.tar.gz
"""

from __future__ import annotations

import io
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from lookalike import Collection


def picture(seed: int) -> Image.Image:
    """Return a picture of its own: a wave of some direction, length and color."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:64, :64] / 64
    angle, length = random.uniform(0, np.pi), random.uniform(3, 12)
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * length * (x * np.cos(angle) + y * np.sin(angle)))
    colors = random.uniform(0, 255, (2, 3))
    pixels = wave[..., None] * colors[0] + (1 - wave[..., None]) * colors[1]
    return Image.fromarray(pixels.astype(np.uint8))


def make_photos(photos: Path) -> None:
    """Write the pictures, in two folders."""
    for number in range(8):
        place = photos / ("waves" if number < 4 else "others")
        place.mkdir(parents=True, exist_ok=True)
        picture(number).save(place / f"{number}.png")
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Maker", "Model 1"
    exif.get_ifd(0x8769)[0x9003] = "2019:05:04 03:02:01"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    picture(8).save(photos / "waves" / "dated.jpg", exif=exif)
    # A profile whose primaries are far from sRGB's: what is read with it has other colors.
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    wide = bytearray(lab.tobytes())
    _swap(wide, b"rXYZ", b"gXYZ")
    picture(9).save(photos / "others" / "profile.png", icc_profile=bytes(wide))
    (photos / "others" / "broken.jpg").write_bytes(b"\xff\xd8\xff no more")


def _swap(profile: bytearray, one: bytes, other: bytes) -> None:
    """Exchange two tags of an ICC profile: red is green, and green red."""
    a, b = profile.index(one), profile.index(other)
    profile[a : a + 4], profile[b : b + 4] = other, one


def add_and_say(collection: Collection, photos: Path) -> None:
    """Add a picture, set fields, and say something of each kind; the last of it is taken back."""
    stream = io.BytesIO()
    picture(10).save(stream, "PNG")
    collection.add([(stream.getvalue(), "kept", {"price": 3, "tags": ["one", "two"]})])
    collection.sync(model="pixels-8-grey")
    collection.set_fields({photos / "waves/0.png": {"price": 4, "sold": True, "said": "a word"}})
    first, second, third = (photos / "waves" / f"{number}.png" for number in range(3))
    collection.sets.add("chosen", [first, second])
    collection.labels.give([third], "by hand")
    collection.feedback.judge(first, second, "yes")
    collection.decisions.decide(second, third, "not_duplicate")
    collection.sets.add("chosen", [third])
    collection.changes.undo()


def main(target: Path) -> None:
    """Make the collection, and pack it with its pictures."""
    with tempfile.TemporaryDirectory() as folder:
        photos = Path(folder) / "photos"
        make_photos(photos)
        collection = Collection.create(photos, model="lite0-int8")
        collection.sync()
        collection.sync(model="pixels-8-grey")
        if hasattr(collection, "clusterings"):
            collection.models.reduce(4)
            collection.clusterings.make("kmeans", 2, name="two")
            collection.clusterings.rename("two", 0, "named by hand")
            collection.maps.make("pca")
        else:
            collection.reduce(4)
        if hasattr(collection, "add"):
            add_and_say(collection, photos)
        with tarfile.open(target, "w:gz") as archive:
            archive.add(photos, "photos")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
