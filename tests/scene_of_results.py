"""One value of every public class, from a small collection: `values`."""

import dataclasses
import inspect
from collections.abc import Mapping
from pathlib import Path

import numpy as np

import lookalike
from lookalike import Coded, CodedLists, Collection, Filter, OwnFields
from lookalike.embed import LocalModel, get_model
from lookalike.images.finding.passed_over import OTHER, PassedOver
from lookalike.train.run_folder import RunImages
from lookalike.train.split import Split
from pictures import picture

MODEL = "pixels-8-grey"
NUMBER = 24


def photos(folder: Path) -> Path:
    """Make a folder of pictures in two folders, and one that is none."""
    for number in range(NUMBER):
        place = folder / ("cats" if number % 2 else "dogs")
        place.mkdir(parents=True, exist_ok=True)
        picture(number, 24).save(place / f"{number}.png")
    (folder / "cats" / "broken.png").write_bytes(b"no picture")
    return folder


def answers(collection: Collection, folder: Path) -> list[object]:
    """Return what a collection answers to all that it can be asked."""
    first = collection.sync()
    file, other = folder / "cats/1.png", folder / "dogs/2.png"
    found: list[object] = [
        first,
        collection.clusterings.make("kmeans", k=3, name="three"),
        collection.clusterings.rename("three", 0, "first"),
        collection.maps.make("pca"),
        collection.maps.make_or_place("pca"),
        collection.sets.add("best", [file]),
        collection.sets.list(),
        collection.labels.give([file], "tabby"),
        collection.feedback.judge(file, other, "yes"),
        collection.feedback.judgments(),
        collection.decisions.decide(file, other, "not_duplicate"),
        collection.decisions.list(),
        collection.duplicates.find(),
        collection.duplicates.pairs(),
        collection.changes.list(),
        collection.fields.set({str(file): {"year": 1999}}),
        collection.search(file, where=Filter(labels="cats")),
        collection.search(file, other, where=Filter(clusters=lookalike.ClusterRef("three", 0))),
        collection.search(color="red"),
        collection.search(lookalike.Vector(np.ones(64)), k=3),
        collection.browse(sort="sharpness"),
        collection.facets(),
        collection.info(),
        collection.image_info(file),
        collection.list_roots(),
        [collection.clusterings.get(each) for each in collection.clusterings.names()],
        collection.clusterings.try_ks([2, 3]),
        collection.clusterings.try_distances(),
        collection.evaluation.retrieval(),
        collection.evaluation.clusterings(),
        collection.evaluation.indexes(kinds=["exact"], k=2),
        collection.add([lookalike.Addition(picture(99, 24), "one")]),
        collection.add_vectors("mine", [str(file), str(other)], np.eye(2)),
        collection.models.get(),
        collection.models.pca(collection.models.reduce(2)),
    ]
    return found


def instances(of: list[object]) -> dict[type, object]:
    """Return one value of each class of lookalike's that these reach."""
    found: dict[type, object] = {}
    seen: set[int] = set()
    waiting = list(of)
    while waiting:
        value = waiting.pop()
        if id(value) in seen or (
            isinstance(value, str | bytes | np.ndarray | int | float)
            and not isinstance(value, lookalike.Sentence)
        ):
            continue
        seen.add(id(value))
        if type(value).__module__.startswith("lookalike"):
            found.setdefault(type(value), value)
        if dataclasses.is_dataclass(value) and not inspect.isclass(value):
            waiting += [getattr(value, field.name) for field in dataclasses.fields(value)]
        elif isinstance(value, Mapping):
            waiting += value.values()
        elif isinstance(value, tuple | list) or type(value).__name__ == "Hits":
            waiting += list(value)
    return found


def by_hand(collection: Collection) -> list[object]:
    """Return what answers do not reach: what is asked for, and parts of a collection."""
    snapshot = collection.snapshot()
    change, file = collection.changes.list()[0], Path("a.png")
    settings = lookalike.FinetuneSettings(name="cats")
    comparison = lookalike.SearchComparison("lite0", "exact", {})
    card = lookalike.Card("code", "Code", 2, "cosine", 32, {}, {}, {}, None, "", (), 0)
    trained = lookalike.Trained(
        LocalModel(get_model("lite0"), b"graph"),
        card,
        RunImages(np.array([1]), None, Split(*(np.zeros(0, np.int64),) * 3)),
    )
    return [
        collection,
        *(getattr(collection, name) for name in FACES),
        snapshot,
        snapshot.files,
        snapshot.images,
        OwnFields({}, {}),
        snapshot.said,
        Coded(("a", "b"), np.array([0, 1, -1])),
        CodedLists(("a",), np.array([0], np.int32), np.array([0]), 1),
        lookalike.Addition(b"content", "key", {"year": 1}, "cats", {"mine": np.ones(2)}),
        lookalike.AtDistance(0.5, 3, 2, 9),
        lookalike.AutoencoderSettings(name="code"),
        settings,
        lookalike.TrainedModel(trained, collection.sync(), file),
        PassedOver(OTHER, 3, (".txt",)),
        *planned_and_done(),
        lookalike.CancelToken(),
        lookalike.CheckReport(
            (lookalike.Damage("map", "maps/map", "gone", "it", "make it"),), 1, 2, 0, False, 0.5
        ),
        lookalike.DamageWarning(lookalike.Sentence("it broke", lookalike.Hint("repair"))),
        lookalike.ConfusedPair("a", "b", 0.5),
        lookalike.CopyReport(file, 3, 9, 1_000, 0.5),
        groups_of_duplicates(),
        *(matched(), matched()[0], lookalike.SameKindFigures(1.0, 92, 40.0)),
        lookalike.Epoch(0.5, None, 1.0),
        lookalike.Example("1" * 16),
        lookalike.FieldCondition("year", min=1),
        lookalike.Hint("sync", then=" first"),
        lookalike.HitCluster("three", 1, "first"),
        lookalike.Imported(change, 1, 1, 0, 0, 0),
        lookalike.MapPolygon("map", [(0, 0), (1, 0), (0, 1)]),
        lookalike.Neighborhoods(np.array([0, 1]), np.array([7]), np.zeros(1, np.float32)),
        lookalike.Neighbors(np.zeros((1, 2), np.int64), np.zeros((1, 2), np.float32)),
        lookalike.Note("a.png", "cut short"),
        lookalike.Pixels(np.zeros((2, 2, 3), np.uint8)),
        lookalike.Progress("embedding", 1, 2),
        lookalike.Running(),
        comparison,
        lookalike.Sentence("it broke", lookalike.Hint("sync", then=" first")),
        lookalike.Tag("dog", 0.5),
        lookalike.TrainingProgress(
            "training", epoch=1, epochs=2, step=1, steps=2, loss=0.5, held_out_loss=None, seconds_left=None
        ),
        lookalike.Understood({"dog": ("chihuahua",)}, ("red",), 1),
        lookalike.Url("https://example.org/a.png"),
        lookalike.Words("a cat"),
        lookalike.ImageFile(file),
    ]


def planned_and_done() -> list[object]:
    """Return a plan for a duplicate, what was done by it, and their parts."""
    kept = lookalike.PlannedFile("/p/a.png", "0" * 64, 3, 1)
    gone = lookalike.PlannedFile("/p/b.png", "0" * 64, 3, 1)
    left = lookalike.LeftFile("/p/b.xmp", "it stays")
    row = lookalike.PlannedRow(kept, gone, "identical", 1.0, stays=(left,))
    plan = lookalike.DuplicatePlan("/p/.lookalike", "2026-11-28", (row,), (left,))
    file = lookalike.ActedFile("/p/b.png", "/q/b.png", "", 3)
    return [kept, left, row, plan, file, lookalike.ActReport(1, "move", (file,))]


def matched() -> lookalike.Matching:
    """Return a pair of two images."""
    a, b = (lookalike.Hit(1, lookalike.ImageId(row), (f"/p/{row}.png",), 0.25, 0.75, None) for row in (1, 2))
    return lookalike.Matching((lookalike.MatchedPair(a, b, 0.75, 0.25, True),), "lite0", 1, 2)


def groups_of_duplicates() -> lookalike.DuplicateGroups:
    """Return a group of two files."""
    image = lookalike.DuplicateImage(
        lookalike.ImageId(7),
        1.0,
        1,
        "identical",
        (
            lookalike.DuplicateFile("/p/a.png", "p:a.png", True, 9),
            lookalike.DuplicateFile("/b", "p:b", False),
        ),
        4,
        3,
    )
    return lookalike.DuplicateGroups((lookalike.DuplicateGroup("identical", 1.0, (image,)),), 1)


FACES = (
    "clusterings",
    "maps",
    "models",
    "evaluation",
    "fields",
    "sets",
    "labels",
    "feedback",
    "decisions",
    "said",
    "changes",
    "duplicates",
)
