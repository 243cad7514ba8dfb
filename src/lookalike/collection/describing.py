"""What a collection holds, what it is made of, and what it knows of one image."""

from __future__ import annotations

import copy
import os
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lookalike.collection.clusterings.describing import summarize_clusterings
from lookalike.collection.columns import are_in, common
from lookalike.collection.places import Places
from lookalike.collection.shown import shown_by
from lookalike.collection.silent_labels import label_note, silent_roots, unless_silent
from lookalike.collection.sizes import sizes_of
from lookalike.collection.stored.cluster_names import NO_CLUSTERS
from lookalike.errors import QueryInputError, QueryNotFoundError
from lookalike.images.finding.spelling import composed
from lookalike.images.own import OWN
from lookalike.query.appearance import name_colors, summarize
from lookalike.query.facts import SAID_COLUMNS, metadata_of, summarize_facts
from lookalike.results.info import ImageInfo, Info, RootInfo
from lookalike.store import ADDED, PinnedTable, Table
from lookalike.system.file_names import unescape
from lookalike.system.wording import frequencies
from lookalike.types import Ids, choose_label

if TYPE_CHECKING:
    import pyarrow as pa


def describe(places: Places) -> Info:
    """Say what a collection holds."""
    store, model = places.store, places.manifest.model
    files = store.files.read(["id", "label", "path"])
    paths = files["path"].to_pylist()
    by_hand = places.snapshot.said.labels
    labels = [label and composed(label) for label in files["label"].to_pylist()]
    silent = silent_roots(places.manifest)
    telling = [unless_silent(label, path, silent) for label, path in zip(labels, paths, strict=True)]
    unused = frequencies(label for label, told in zip(labels, telling, strict=True) if label and not told)
    labels = telling
    if by_hand:
        pairs = zip(files["id"].to_pylist(), labels, strict=True)
        labels = [by_hand.get(image, label) for image, label in pairs]
    clusterings, damaged = summarize_clusterings(places.clusterings, files["id"].to_numpy())
    there = places.snapshot.files.images
    images = copy.copy(store)
    images.images = _ImagesThere(store.images, there)
    formats = images.images.read(["format"])["format"].to_pylist()
    tables = store.vector_tables()
    names = sorted(tables, key=lambda name: (name != model, name))
    sizes = sizes_of(store)
    shown = shown_by(places.snapshot, model)
    return Info(
        folder=store.folder,
        roots=tuple(place for _, place in places.of_roots()),
        datasets=places.datasets,
        files=len(labels),
        images=len(formats),
        models={name: len(common(there, _ids(tables[name]))) for name in names},
        model=model,
        formats=frequencies(formats),
        labels=frequencies(label for label in labels if label is not None),
        failures=places.failures(),
        size=sum(sizes.values()),
        sizes=sizes,
        appearance=summarize(images),
        clusterings=clusterings,
        damaged=damaged,
        facts=summarize_facts(images),
        notes=places.notes(),
        added=sum(path.startswith(f"{ADDED}:") for path in paths) if places.holds_added else 0,
        fields=store.fields.kinds(),
        exclude={place: root.exclude for root, place in places.of_roots() if root.exclude},
        unused_labels=unused,
        label_note=label_note(places.manifest),
        thumbnail_side=places.manifest.thumbnail_side,
        tags={} if shown is None else shown.counted(),
    )


class _ImagesThere(PinnedTable):
    """The images that lie anywhere: while somebody writes, and after he was killed, there are others."""

    def __init__(self, table: PinnedTable, there: Ids) -> None:
        super().__init__(table.folder, table.schema, table.pin)
        self._kept = there

    def read(self, columns: Sequence[str] | None = None, where: str | None = None) -> pa.Table:
        import pyarrow as pa

        names = list(columns or self.schema.names)
        rows = super().read(list(dict.fromkeys(["id", *names])), where)
        return rows.filter(pa.array(are_in(rows["id"].to_numpy(), self._kept))).select(names)

    def count(self) -> int:
        return len(self.read(["id"]))


def _ids(table: Table) -> Ids:
    ids: Ids = table.read(["id"])["id"].to_numpy()
    return ids


def describe_roots(places: Places) -> tuple[RootInfo, ...]:
    """Say what a collection is made of."""
    files = places.store.files.read(["path", "id"])
    names = [path.partition(":")[0] for path in files["path"].to_pylist()]
    images: dict[str, set[int]] = defaultdict(set)
    for name, image in zip(names, files["id"].to_pylist(), strict=True):
        images[name].add(image)
    folders = {root.name: folder for root, folder in places.of_roots()}
    return tuple(
        RootInfo(
            name=unescape(root.name),
            folder=folders.get(root.name),
            dataset=root.dataset,
            images=len(images[root.name]),
            is_there=root.dataset is not None or os.path.isdir(folders[root.name]),
            labels=root.labels,
            exclude=root.exclude,
            is_told=root.is_told,
            agreement=None if root.verdict is None else root.verdict.agreement,
            has_silent_labels=root.has_silent_labels,
        )
        for root in places.manifest.roots
    )


def describe_image(places: Places, image: str) -> ImageInfo:
    """Say what a collection knows of one image; see `Collection.image_info`."""
    store = places.store
    found = places.find(image)
    columns = ["format", "width", "height", "colours", "sharpness", "reader", *SAID_COLUMNS]
    rows = store.images.read_where_in("id", [found], columns).to_pylist()
    files = store.files.read_where_in("id", [found], ["path", "label", "split", "note"]).to_pylist()
    if not rows or not files:
        failed = store.failures.read_where_in("path", [places.stored(image)], ["reason"]).to_pylist()
        if failed:
            reason = failed[0]["reason"]
            said = "is passed over" if reason == OWN else "could not be read"
            raise QueryInputError(f"{image} {said}: {reason}")
        raise QueryNotFoundError(f"{image} is not in the collection in {store.folder}", hint="index it first")
    (row,) = rows
    files.sort(key=lambda file: (places.key_of(file["path"]) is not None, str(file["path"])))
    clusters = places.labels.of_images(np.array([found])).get(found, NO_CLUSTERS)
    asked = next((file["path"] for file in files if image == file["path"]), None) or places.stored(image)
    told = next((file["path"] for file in files if file["path"] == asked), files[0]["path"])
    keys = (places.key_of(file["path"]) for file in files)
    by_hand = places.snapshot.said.labels.get(found)
    silent = silent_roots(places.manifest)
    told_by = (unless_silent(file["label"], file["path"], silent) for file in files)
    given = (by_hand or (label and composed(label)) for label in told_by)
    labels = (choose_label(label, clusters) for label in given)
    shown = shown_by(places.snapshot, places.manifest.model)
    return ImageInfo(
        lookup=places.lookup(),
        id=found,
        paths=tuple(places.snapshot.absolute(file["path"], found) for file in files),
        labels=tuple(dict.fromkeys(label for label in labels if label is not None)),
        splits=tuple(dict.fromkeys(file["split"] for file in files if file["split"] is not None)),
        format=row["format"],
        width=row["width"],
        height=row["height"],
        colors=name_colors(np.reshape(row["colours"] or [], (-1, 4))),
        sharpness=row["sharpness"],
        models=tuple(
            name
            for name, table in store.vector_tables().items()
            if len(table.read_where_in("id", [found], ["id"]))
        ),
        clusters=clusters,
        metadata=metadata_of(row),
        knows_metadata=row["reader"] is not None or row["format"] == "PIXELS",
        note=next((file["note"] for file in files if file["note"] is not None), None),
        fields=dict(places.snapshot.fields_at(told, found)),
        keys=tuple(key for key in keys if key is not None),
        tags=() if shown is None else shown.tags_of(found),
    )
