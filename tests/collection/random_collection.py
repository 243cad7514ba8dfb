"""A collection at random, and the same as plain Python values, to hold one against the other."""

import datetime
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from snapshots_of import places_of

from lookalike.collection.own_columns import OwnColumns
from lookalike.collection.own_fields import OwnFields
from lookalike.collection.said import ImageSet, Said
from lookalike.collection.snapshot import Snapshot
from lookalike.collection.stored.clusterings import StoredClustering, StoredClusterings
from lookalike.collection.stored.maps import StoredMap, StoredMaps
from lookalike.images.metadata.metadata import Metadata
from lookalike.store import Root, Store
from lookalike.store.store import Changes, FileRow, ImageRow
from lookalike.types import ImageId

N = 60
FOLDERS = ["a/", "a/b/", "a/b/c/", "ab/", ""]
LABELS = ["cat", "dog", "Owl"]
CAMERAS = ["Canon EOS 5D", "NIKON D90", "Canon PowerShot"]
KEYWORDS = ["Beach", "beach", "dog's", "Été"]
SHOPS = ["Berlin", "berlin", "Oslo", "3"]
TAGS = ["red", "RED", "old", "new"]
SETS = {"best": 7, "worst": 3, "empty": 0}
CLUSTER_NAMES = {0: "cat", 2: "night"}


@dataclass
class File:
    """A place where an image lies, and what is said of it there."""

    path: str
    label: str | None
    split: str | None
    price: float | None
    shop: str | None
    sold: datetime.datetime | None
    good: bool | None
    tags: list[str] | None


@dataclass
class Image:
    """An image, and its places."""

    id: int
    width: int
    height: int
    format: str
    sharpness: float
    color: tuple[float, float, float]
    said: Metadata
    files: list[File] = field(default_factory=list)
    sets: set[str] = field(default_factory=set)
    label_by_hand: str | None = None
    cluster: int | None = None
    distance: float | None = None
    point: tuple[float, float] | None = None


def maybe(random, values, share=0.3):
    return None if random.random() < share else values[random.integers(len(values))]


def make_image(random, number):
    moment = datetime.datetime(2018, 1, 1) + datetime.timedelta(hours=int(random.integers(0, 30_000)))
    is_placed = random.random() < 0.6
    keywords = random.choice(KEYWORDS, random.integers(0, 4), replace=False).tolist()
    return Image(
        int(random.integers(1, 2**62)),
        int(random.integers(1, 12)) * 10,
        int(random.integers(1, 12)) * 10,
        ["JPEG", "PNG", "GIF"][random.integers(3)],
        float(np.float32(random.choice([0, 1.5, 20, 300.25, 4000]))),
        tuple(map(float, random.choice([-40, 0, 5, 60], 3).astype(np.float32))),
        Metadata(
            taken=maybe(random, [moment]),
            camera=maybe(random, CAMERAS),
            keywords=tuple(keywords),
            rating=maybe(random, [-1, 1, 3, 5]),
            latitude=float(random.uniform(-90, 90)) if is_placed else None,
            longitude=float(random.uniform(-180, 180)) if is_placed else None,
        ),
    )


def make_file(random, path):
    return File(
        path,
        maybe(random, LABELS),
        maybe(random, ["train", "test"]),
        maybe(random, [0.0, 1.5, 20.0]),
        maybe(random, SHOPS),
        maybe(random, [datetime.datetime(2020, 2, 29, 23, 59, 59), datetime.datetime(2020, 3, 1)]),
        maybe(random, [True, False]),
        maybe(random, [[], ["red"], ["RED", "old"], ["new", "old"]]),
    )


def make_images(random):
    images = [make_image(random, number) for number in range(N)]
    paths = [f"r:{folder}{number:03}.png" for number in range(N // 2) for folder in FOLDERS]
    for path in random.permutation(paths).tolist():
        # Some lie in several places, some in none.
        images[min(int(random.integers(0, N)), int(random.integers(0, N)))].files.append(
            make_file(random, path)
        )
    for name, n in SETS.items():
        for image in random.choice(images, n, replace=False):
            image.sets.add(name)
    for image in images:
        image.label_by_hand = maybe(random, ["dog", "by hand"], 0.8)
        image.cluster = maybe(random, [-1, 0, 1, 2], 0.1)
        image.distance = None if image.cluster is None else float(np.float32(random.random()))
        if random.random() < 0.7:
            image.point = tuple(float(np.float32(each)) for each in random.uniform(-1, 1, 2))
    return images


def own_fields(snapshot, images):
    """Return the users' own columns, in the order of the files."""
    by_path = {file.path: file for image in images for file in image.files}
    files = [by_path[path] for path in snapshot.files.paths()]

    def column(name, kind):
        return pa.array([getattr(file, name) for file in files], kind)

    return OwnFields(
        {
            "price": column("price", pa.float64()),
            "shop": column("shop", pa.string()).dictionary_encode(),
            "sold": column("sold", pa.timestamp("us")),
            "good": column("good", pa.bool_()),
            "tags": column("tags", pa.list_(pa.string())),
        },
        {"price": "number", "shop": "text", "sold": "date", "good": "boolean", "tags": "tags"},
    )


def random_collection(folder, seed, monkeypatch):
    """Write a collection; return its places, and its images."""
    random = np.random.default_rng(seed)
    images, store = make_images(random), Store(folder)
    rows = [
        ImageRow(
            ImageId(each.id),
            bytes(32),
            each.format,
            each.width,
            each.height,
            0,
            np.array([[*each.color, 1]], np.float32),
            each.sharpness,
            b"jpeg",
            each.said,
            1,
        )
        for each in images
    ]
    files = [
        FileRow(file.path, ImageId(each.id), 1, 1, file.label, file.split)
        for each in images
        for file in each.files
    ]
    random.shuffle(files)
    half = len(files) // 2
    vectors = store.vectors("lite0", 4)
    store.write(Changes(images=rows, files=files[:half]), vectors)
    store.write(Changes(files=files[half:]), vectors)
    write_clusters(folder, images)
    write_map(folder, images)
    places = places_of(folder, [Root("r", str(folder / "photos"))])
    snapshot = places.snapshot
    said = Said(
        labels={each.id: each.label_by_hand for each in images if each.label_by_hand is not None},
        kept_sets={
            number: ImageSet(name, {each.id: at for at, each in enumerate(images) if name in each.sets})
            for number, name in enumerate(SETS)
        },
    )
    monkeypatch.setattr(Snapshot, "said", property(lambda _: said))
    fields = own_fields(snapshot, images)
    snapshot.keep_of_fields("own", lambda: OwnColumns(fields))
    return places, images


def write_clusters(folder, images):
    clustered = sorted((each for each in images if each.cluster is not None), key=lambda each: each.id)
    StoredClusterings(folder).write(
        StoredClustering(
            name="groups",
            model="lite0",
            algorithm="kmeans",
            parameters={},
            random_state=0,
            made="2020-01-01T00:00:00+00:00",
            n_images=len(clustered),
            names=CLUSTER_NAMES,
            is_edited=True,
            ids=np.array([each.id for each in clustered], np.int64),
            clusters=np.array([each.cluster for each in clustered], np.int32),
            distances=np.array([each.distance for each in clustered], np.float32),
            margins=np.zeros(len(clustered), np.float32),
            centers=np.zeros((3, 4), np.float32),
        )
    )


def write_map(folder, images):
    shown = sorted((each for each in images if each.point is not None), key=lambda each: each.id)
    made = StoredMap(
        name="plane",
        model="lite0",
        method="pca",
        perplexity=None,
        random_state=0,
        parameters={},
        figures={},
        made="2020-01-01T00:00:00+00:00",
        ids=np.array([each.id for each in shown], np.int64),
        points=np.array([each.point for each in shown], np.float32).reshape(-1, 2),
        is_placed=np.zeros(len(shown), bool),
        state={},
    )
    StoredMaps(folder).write(made)
