"""The public surface, made from the code: each function and method, what it takes, and a plain call of it.

A new public name is found by itself. It has a place in one of the tables below, or `untold` names it, and a
test with it: `PLAIN` says with what a parameter is called that has no default, `THINGS` of what a class's
methods are called, `LEFT_OUT` why something is not.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
import shutil
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import lookalike
from faults.scene import Scene

MODULES = (
    "bench", "cluster", "datasets", "drawing", "duplicates", "evaluate", "index", "pca", "plots",
    "projection", "train",
)  # fmt: skip

ROWS = np.random.default_rng(0).normal(size=(24, 5)).astype(np.float32)
ROWS[:12] += 4
LABELS = np.repeat([0, 1], 12)
# Of arrays that need not be given, or that are words otherwise.
ARRAYS = {
    "ids": np.arange(24),
    "allowed": np.arange(12),
    "cells": LABELS,
    "init": ROWS[:2].copy(),
    "rows": np.arange(3),
    "queries": ROWS[:3].copy(),
}
# Of how much work a caller asks for, which is the caller's to say: huge ones are not tried.
WAITS = (".save", ".export", "save_figure")  # and of a pipe that nobody reads, its writer waits
WORK = {"n_init", "max_iter", "n_resamples", "n_flips", "n_trees", "n_links", "effort", "epochs", "seconds"}
QUERIES = ROWS[:3].copy()

Make = Callable[[Scene], Any]


def _class(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(f"lookalike.{module}" if module else "lookalike"), name)


# What is called, by the path of a class: of whom the methods are; or, of those whose constructor only keeps
# what it is given, what is done with it next, so that it is looked at.
THINGS: dict[str, Make] = {
    "AddReport": lambda at: at.collection.add([], embed=False),
    "Addition": lambda at: lookalike.Addition(b"", "key"),
    "BrowseResult": lambda at: at.collection.browse(),
    "CancelToken": lambda at: lookalike.CancelToken(),
    "Changes": lambda at: at.collection.changes,
    "Change": lambda at: at.collection.changes.list()[0],
    "CheckReport": lambda at: _damaged(at).check(),
    "Choice": lambda at: _class("cluster.choose_k")(ROWS, [2, 3]),
    "Clustering": lambda at: at.collection.clusterings.get("groups"),
    "Cluster": lambda at: at.collection.clusterings.get("groups").clusters[0],
    "ClusteringInfo": lambda at: at.collection.info().clusterings[0],
    "ClusterRef": lambda at: lookalike.ClusterRef("groups", 0),
    "ClusteringEvaluations": lambda at: at.collection.evaluation.clusterings(),
    "ClusteringEvaluation": lambda at: at.collection.evaluation.clusterings()[0],
    "Clusterings": lambda at: at.collection.clusterings,
    "Coded": lambda at: at.collection.snapshot().files.coded_labels,
    "CodedLists": lambda at: at.collection.snapshot().images.keywords,
    "Collection": lambda at: at.collection,
    "Decision": lambda at: at.collection.decisions.list()[0],
    "Decisions": lambda at: at.collection.decisions,
    "ActReport": lambda at: _acted(at),
    "ActedFile": lambda at: _acted(at)[0],
    "DuplicatePlan": lambda at: _planned(at),
    "LeftFile": lambda at: lookalike.LeftFile(str(at.photo), "it stays"),
    "PlannedFile": lambda at: _planned(at)[0].go,
    "PlannedRow": lambda at: _planned(at)[0],
    "DuplicateFile": lambda at: _duplicates(at)[0].files[0],
    "DuplicateGroup": lambda at: _duplicates(at)[0],
    "DuplicateGroups": lambda at: _duplicates(at),
    "DuplicateImage": lambda at: _duplicates(at)[0].images[0],
    "MatchedPair": lambda at: _matched(at)[0],
    "Matching": lambda at: _matched(at),
    "DuplicatePairs": lambda at: at.collection.duplicates.pairs(),
    "Duplicates": lambda at: at.collection.duplicates,
    "DuplicatesReport": lambda at: at.collection.duplicates.find(),
    "EmbeddedQuery": lambda at: at.found.queries[0],
    "Evaluation": lambda at: at.collection.evaluation.retrieval(2),
    "Evaluations": lambda at: at.collection.evaluation,
    "Example": lambda at: lookalike.Example("set"),
    "Facets": lambda at: at.collection.facets(),
    "Facet": lambda at: next(iter(at.collection.facets().values())),
    "Facts": lambda at: at.collection.info().facts,
    "Feedback": lambda at: at.collection.feedback,
    "FieldCondition": lambda at: lookalike.FieldCondition("price", 3),
    "FieldReport": lambda at: at.collection.fields.set({}),
    "Fields": lambda at: at.collection.fields,
    "FileColumns": lambda at: at.collection.snapshot().files,
    "Filter": lambda at: lookalike.Filter(min_size=3),
    "Hit": lambda at: at.found[0],
    "Hits": lambda at: at.found.hits,
    "ImageColumns": lambda at: at.collection.snapshot().images,
    "ImageFile": lambda at: lookalike.ImageFile(at.photo),
    "ImageInfo": lambda at: at.collection.image_info(at.photo),
    "ImageMap": lambda at: at.collection.maps.get("map"),
    "ImageRef": lambda at: lookalike.ImageRef(at.ids[0]),
    "IndexComparison": lambda at: _compared(),
    "Info": lambda at: at.collection.info(),
    "KDistances": lambda at: _class("cluster.suggest_eps")(ROWS),
    "Labels": lambda at: at.collection.labels,
    "MapPolygon": lambda at: lookalike.MapPolygon("map", [(0, 0), (1, 0), (1, 1)]),
    "Maps": lambda at: at.collection.maps,
    "Metadata": lambda at: at.collection.image_info(at.photo).metadata,
    "Model": lambda at: at.collection.models.get(),
    "Models": lambda at: at.collection.models,
    "Neighborhoods": lambda at: _index("Exact").radius(QUERIES, 3),
    "OwnFields": lambda at: at.collection.snapshot().fields,
    "PCA": lambda at: lookalike.PCA(2).fit(ROWS),
    "Pixels": lambda at: lookalike.Pixels(np.zeros((4, 4, 3), np.uint8)),
    "Progress": lambda at: lookalike.Progress("embedding", 1, 2),
    "RootInfo": lambda at: at.collection.list_roots()[0],
    "Said": lambda at: at.collection.snapshot().said,
    "SearchRequest": lambda at: lookalike.SearchRequest(like=[lookalike.Words("a")], k=3),
    "SearchResult": lambda at: at.found,
    "SetInfo": lambda at: at.collection.sets.list()[0],
    "Sets": lambda at: at.collection.sets,
    "Snapshot": lambda at: at.collection.snapshot(),
    "Statements": lambda at: at.collection.said,
    "SyncReport": lambda at: at.collection.sync(dry_run=True),
    "Term": lambda at: lookalike.Words("a"),
    "Url": lambda at: lookalike.Url("https://example.org/a.png"),
    "Vector": lambda at: lookalike.Vector(ROWS[0]),
    "VectorReport": lambda at: at.collection.add_vectors("own", at.ids, ROWS[: len(at.ids)]),
    "Words": lambda at: lookalike.Words("a"),
    "cluster.AgglomerativeClustering": lambda at: _class("cluster.AgglomerativeClustering")(),
    "cluster.DBSCAN": lambda at: _class("cluster.DBSCAN")(2.0),
    "cluster.HDBSCAN": lambda at: _class("cluster.HDBSCAN")(),
    "cluster.HierarchicalKMeans": lambda at: _class("cluster.HierarchicalKMeans")(2).fit(ROWS),
    "cluster.KMeans": lambda at: _class("cluster.KMeans")(2).fit(ROWS),
    "cluster.Node": lambda at: _class("cluster.HierarchicalKMeans")(2).fit(ROWS).root,
    "cluster.SpectralClustering": lambda at: _class("cluster.SpectralClustering")(2),
    "datasets.Dataset": lambda at: _dataset(),
    "datasets.ImageFiles": lambda at: _class("datasets.ImageFiles")((at.photo,)),
    "datasets.Row": lambda at: _class("datasets.get_row")("digits"),
    "evaluate.Confusions": lambda at: _class("evaluate.confuse")(_ranked(), LABELS, LABELS, ["a", "b"]),
    "evaluate.Retrieval": lambda at: _ranked(),
    "index.Annoy": lambda at: _index("Annoy"),
    "index.Exact": lambda at: _index("Exact"),
    "index.HNSW": lambda at: _index("HNSW"),
    "index.KDTree": lambda at: _index("KDTree"),
    "index.KMeansTree": lambda at: _index("KMeansTree"),
    "plots.Groups": lambda at: _class("plots.Groups")(LABELS, ["a", "b"]),
}  # fmt: skip

# Constructors that only keep what they are given: who is then asked to look at it.
USED: dict[str, Callable[[Scene, Any], Any]] = {
    **{
        f"cluster.{name}": lambda at, made: made.fit(ROWS)
        for name in (
            "AgglomerativeClustering", "DBSCAN", "HDBSCAN", "HierarchicalKMeans", "KMeans",
            "SpectralClustering",
        )
    },
    **{
        f"index.{name}": lambda at, made: made.build(ROWS).search(QUERIES, 3)
        for name in ("Annoy", "Exact", "HNSW", "KDTree", "KMeansTree")
    },
    "PCA": lambda at, made: made.fit(ROWS),
    "Filter": lambda at, made: at.collection.count(made),
    "ClusterRef": lambda at, made: at.collection.search(str(at.photo), k=2, same_cluster=made),
    "FieldCondition": lambda at, made: at.collection.count(lookalike.Filter(fields=[made])),
    "MapPolygon": lambda at, made: at.collection.count(lookalike.Filter(polygon=made)),
    "SearchRequest": lambda at, made: (
        at.collection.browse(made) if made.is_browse else at.collection.search(made)
    ),
    "Addition": lambda at, made: at.collection.add([made], embed=False),
    "Decision": lambda at, made: at.collection.decisions.decide_all([made]),
    **{
        name: lambda at, made: at.collection.search(made, k=2)
        for name in ("Example", "ImageFile", "ImageRef", "Pixels", "Url", "Vector", "Words")
    },
}  # fmt: skip

_FIGURES = "what is drawn is closed by the caller; its values come from the collection's own results"
_RECORD = "lookalike makes it, and gives it out"

# Why something is not called with absurd values.
LEFT_OUT: dict[str, str] = {
    "Collection()": "made by open and create",
    "Info.looks": "an old name, which says so",
    "Clusterings.__call__": "an old name, which says so",
    "Maps.__call__": "an old name, which says so",
    "Trained": "made by Models.train, which takes minutes",
    "TrainedModel": "made by Models.train, which takes minutes",
    "Card": "made by Models.train, which takes minutes",
    "TrainingProgress.of": _RECORD,
    "train.RunFolder": "the run of a training; Models.train is the door",
    "train.TrainingImages": "the run of a training; Models.train is the door",
    "train.finetune": "takes minutes; its settings are checked when they are made",
    "train.train_autoencoder": "takes minutes; its settings are checked when they are made",
    "Models.train": "takes minutes; its settings are checked when they are made",
    "Models.train_and_embed": "takes minutes; its settings are checked when they are made",
    "index.Index": "abstract; its kinds are called",
    "index.Searcher": "abstract; its kinds are called",
    "index.IvfRq": "made by a collection, of its own tables",
    "index.Exact.build_of_parts": "likewise",
    "index.Exact.take_bytes_of": "between two indexes of a collection",
    "datasets.REGISTRY": "a constant",
    "datasets.Found": _RECORD,
    "datasets.Row()": _RECORD,
    "datasets.ImageFiles()": _RECORD,
    "datasets.Row.load": "as datasets.load, which is called",
    "Progress.share": "a number",
    "Hits()": _RECORD,
    "Term()": "abstract; its kinds are called",
    "EmbeddedQuery()": _RECORD,
    "silent": "does nothing with what it is given",
    "Hint.told": "for doors that have words of their own",
    "datasets.Dataset()": _RECORD,
    "Neighborhoods.join": "of what indexes have found",
    "Snapshot.keep": "for those who keep what they made of a snapshot under a key of theirs",
    "Snapshot.keep_of_fields": "as keep",
}

PLAIN: dict[str, Any] = {
    **dict.fromkeys(("X", "vectors", "gallery", "points_nd"), ROWS),
    **dict.fromkeys(("labels", "clusters", "query_labels", "query_codes", "codes"), LABELS),
    "queries": QUERIES,
    "n_clusters": 2,
    "n_central": 2,
    "n_components": 2,
    "k": 3,
    "r": 1.5,
    "y": None,
    "name": "groups",
    "ks": [1, 2],
    "eps": 1.0,
    "min_samples": 3,
    "metric": "euclidean",
    "key": 1,
    "at": 0,
    "row": 0,
    "number": 0,
    "n": 2,
    "title": "",
    "value": 0,
    "phase": "embedding",
    "fields": {"cats/0.png": {"price": 2.0}},
    "points": ROWS[:, :2].copy(),
    "shares": [0.7, 0.2, 0.1],
    "model": "own",
    "images": lambda at: at.ids,
    "image": lambda at: at.ids[0],
    "a": lambda at: at.ids[0],
    "b": lambda at: at.ids[1],
    "decision": "alternates",
    "verdict": "yes",
    "query": lambda at: lookalike.ImageRef(at.ids[0]),
    "path": lambda at: at.photo,
    "folder": lambda at: at.scratch / "new",
    "file": lambda at: at.scratch / "file.npz",
    "start": lambda at: at.photos,
    "document": {},
    "collection": lambda at: at.collection,
    "image_map": lambda at: at.collection.maps.get("map"),
    "clustering": "groups",
    "where": None,
}  # fmt: skip

# What differs for a door: by its path, the parameters that are given.
GIVEN: dict[str, Mapping[str, Any]] = {
    "Addition()": {"content": lambda at: at.photo.read_bytes(), "key": "new"},
    "AutoencoderSettings()": {"name": "own"},
    "FinetuneSettings()": {"name": "own"},
    "ClusterRef()": {"clustering": "groups", "number": 0},
    "ClusterRef.from_dict": {"document": {"clustering": "groups"}},
    "Clusterings.make": {"k": 2, "name": "new"},
    "Clusterings.edit": {"name": "groups", "rename": [(0, "owls")]},
    "Clusterings.export": {"to": lambda at: at.scratch / "out.csv", "form": "csv"},
    "Clusterings.merge": {"clusters": [0, 1]},
    "Clusterings.move": {"images": lambda at: [at.photo], "cluster": 1},
    "Clusterings.rename": {"cluster": 0, "to": "owls"},
    "Clusterings.try_ks": {"ks": [2, 3]},
    "Coded.has_any": {"wanted": [0]},
    "CodedLists.at": {"rows": np.array([0])},
    "CodedLists.has_any": {"wanted": [0]},
    "Collection.add": {"additions": lambda at: [(at.photo.read_bytes(), "new")], "embed": False},
    "Collection.add_dataset": {"name": "digits"},
    "Collection.add_root": {"folder": lambda at: at.scratch},
    "Collection.add_vectors": {"vectors": ROWS[:12].copy()},
    "Collection.export": {
        "result": lambda at: at.found, "to": lambda at: at.scratch / "hits.csv", "force": True
    },
    "Collection.holds": {"path": lambda at: at.photo},
    "Collection.image_info": {"image": lambda at: at.photo},
    "Collection.move_root": {"old": lambda at: at.added_root(), "new": lambda at: at.scratch / "moved"},
    "Collection.check_at": {"start": lambda at: at.photos},
    "Collection.open": {"start": lambda at: at.photos},
    "Collection.open_near": {"queries": lambda at: [str(at.photo)]},
    "Collection.open_or_create": {"paths": lambda at: [at.photos]},
    "Collection.query_thumbnails": {"queries": lambda at: at.found.queries},
    "Collection.set_thumbnail_side": {"side": 128},
    "Collection.match": {
        "where": lambda at: lookalike.Filter(ids=[at.ids[0]]),
        "other_where": lambda at: lookalike.Filter(ids=[at.ids[1]]),
        "model": "own",
    },
    "Collection.remove": {"keys": ["new"]},
    "Collection.search": {"queries": lambda at: [str(at.photo)], "k": 3},
    "Collection.copy": {"to": lambda at: at.scratch / "copy"},
    "Collection.create": {"folder": lambda at: at.scratch},
    "Collection.vectors": {"model": "own"},
    "Decision()": {},
    "Decisions.decide_all": {"decisions": lambda at: list(at.collection.decisions.list())},
    "EmbeddedQuery()": {"name": "a", "vector": ROWS[0]},
    "Example()": {"name": "added:there"},
    "Example.from_dict": {"document": {"example": "set"}},
    "Feedback.withdraw": {"image": lambda at: at.ids[2]},
    "Feedback.judge_all": {"judgments": lambda at: list(at.collection.feedback.judgments())},
    "FieldCondition()": {"name": "price", "values": [3]},
    "FieldCondition.read": {"name": "price", "asked": 3},
    "Fields.check_table": {"file": lambda at: _table(at)},
    "Fields.read": {"file": lambda at: _table(at)},
    "Fields.of": {"file": "cats/0.png"},
    "Fields.remove": {"name": "price"},
    "Fields.rename": {"old": "price", "new": "cost"},
    "FileColumns.begin_with": {"beginnings": ["photos:"]},
    "FileColumns.have": {"images": lambda at: np.array(at.ids)},
    "FileColumns.image_at": {"path": "photos:cats/0.png"},
    "FileColumns.row_at": {"path": "photos:cats/0.png"},
    "ActReport.__getitem__": {"index": 0},
    "DuplicatePlan.__getitem__": {"index": 0},
    "DuplicatePlan.from_dict": {"document": lambda at: _planned(at).to_dict()},
    "DuplicatePlan.load": {"file": lambda at: _plan_file(at)},
    "Duplicates.apply": {"plan": lambda at: _planned(at), "how": "trash"},
    "Duplicates.export": {"groups": lambda at: _duplicates(at), "file": lambda at: at.scratch / "list.csv"},
    "Duplicates.plan": {"groups": lambda at: _duplicates(at)},
    "Facets.__getitem__": {"name": lambda at: next(iter(at.collection.facets()))},
    "Models.pca": {"model": "own+pca2"},
    "Filter.from_dict": {"document": {"min_size": 3}},
    "Filter.with_split": {"split": "train"},
    "Filter.within": {"cluster": lambda at: lookalike.ClusterRef("groups", 0)},
    "Hits()": {"ids": [1, 2], "distances": [0.1, 0.2], "describe": lambda at: at.found.hits._describe},
    "Hits.of": {"hits": lambda at: list(at.found)},
    "ImageColumns.rows_of": {"images": lambda at: np.array(at.ids)},
    "ImageFile()": {"path": lambda at: at.photo},
    "ImageFile.from_dict": {"document": lambda at: {"file": str(at.photo)}},
    "ImageRef()": {"id": lambda at: at.ids[0]},
    "ImageRef.from_dict": {"document": {"id": "00000000000000ff"}},
    "IndexComparison.fastest": {"recall": 0.9},
    "Labels.give": {"label": "cat"},
    "Labels.give_each": {"labels": lambda at: {at.ids[0]: "cat"}},
    "MapPolygon()": {"map": "map", "points": [(0, 0), (1, 0), (1, 1)]},
    "MapPolygon.from_dict": {"document": {"map": "map", "points": [[0, 0], [1, 0], [1, 1]]}},
    "Maps.delete": {"name": "map"},
    "Maps.get": {"name": "map"},
    "Maps.make": {"method": "pca", "name": "new"},
    "Maps.make_or_place": {"method": "pca", "name": "map"},
    "Maps.place": {"name": "map"},
    "Models.reduce": {"n_components": 2, "model": "own"},
    "Models.get": {"name": None},
    "Models.make_default": {"name": lambda at: at.collection.models.get().name},
    "PCA.inverse_transform": {"reduced": ROWS[:, :2]},
    "PCA.load": {"file": lambda at: _pca_file(at)},
    "Pixels()": {"pixels": np.zeros((4, 4, 3), np.uint8)},
    "Pixels.from_dict": {"document": lambda at: lookalike.Pixels(np.zeros((2, 2, 3), np.uint8)).to_dict()},
    "Said.judgments_of": {"query": "a"},
    "SearchRequest()": {"like": lambda at: [lookalike.ImageRef(at.ids[0])], "k": 3},
    "SearchRequest.from_dict": {"document": {"k": 3}},
    "SearchRequest.from_query_string": {"text": "k=3"},
    "Sets.add": {"name": "set"},
    "Sets.delete": {"name": "set"},
    "Sets.hits": {"name": "set"},
    "Sets.images": {"name": "set"},
    "Sets.remove": {"name": "set"},
    "Sets.rename": {"old": "set", "new": "other"},
    "Snapshot.absolute": {"stored": "photos:cats/0.png"},
    "Snapshot.clustering": {"name": "groups"},
    "Snapshot.fields_at": {"stored": "photos:cats/0.png"},
    "Snapshot.fields_of": {"places": lambda at: [("photos:cats/0.png", at.ids[0])]},
    "Snapshot.folder_path": {"beginning": "photos:cats"},
    "Snapshot.image_at": {"stored": "photos:cats/0.png"},
    "Snapshot.vectors": {"model": "own"},
    "Statements.export": {"file": lambda at: at.scratch / "said.jsonl"},
    "Statements.load": {"file": lambda at: _said_file(at)},
    "Term.from_dict": {"document": {"words": "a"}},
    "Url()": {"url": "https://127.0.0.1:9/a.png"},
    "Url.from_dict": {"document": {"url": "https://127.0.0.1:9/a.png"}},
    "Vector()": {"vector": np.linspace(1, 2, 1280)},
    "Vector.from_dict": {"document": {"vector": [1.0, 2.0]}},
    "Neighborhoods.__getitem__": {"query": 0},
    "Words()": {"words": "a"},
    "Words.from_dict": {"document": {"words": "a"}},
    "bench.compare_indexes": {"kinds": ["exact"], "recalls": [0.9], "seconds": 0.01, "k": 2},
    "cluster.HierarchicalKMeans.cut": {"n_clusters": 2},
    "cluster.KMeans.fit_batches": {"batches": lambda at: lambda: [ROWS]},
    "cluster.KMeans.get_feature_names_out": {},
    "cluster.choose_k": {"ks": [2, 3]},
    "datasets.Dataset.split": {"split": "train"},
    "datasets.Dataset.with_test_share": {"test_share": 0.5},
    "datasets.ImageFiles()": {"paths": lambda at: (at.photo,)},
    "datasets.ImageFiles.__getitem__": {"index": 0},
    "datasets.find": {"relative": ["mnist"]},
    "datasets.get_row": {"name": "digits"},
    "datasets.load": {"name": "digits", "download": False},
    "datasets.prepare_dataset": {"name": "digits", "download": False},
    "drawing.draw_matching": {
        "a": lambda at: at.collection,
        "b": lambda at: at.collection,
        "result": lambda at: _matched(at),
    },
    "drawing.draw_duplicates": {"groups": lambda at: _duplicates(at)},
    "drawing.draw_clusters": {"clustering": lambda at: at.collection.clusterings.get("groups")},
    "drawing.draw_comparison": {"found": lambda at: _compared(), "model": "own"},
    "drawing.draw_confusion": {"evaluation": lambda at: at.collection.evaluation.retrieval(2)},
    "drawing.draw_list": {"result": lambda at: at.collection.browse()},
    "drawing.draw_search": {"result": lambda at: at.found},
    "drawing.draw_worst_queries": {"evaluation": lambda at: at.collection.evaluation.retrieval(2)},
    "drawing.group_by_cluster": {"clustering": lambda at: at.collection.clusterings.get("groups")},
    "duplicates.compare": {"a": lambda at: at.photo, "b": lambda at: at.photo},
    "evaluate.bootstrap_means": {"values": {"P@1": [0.0, 1.0, 1.0]}, "n_resamples": 20},
    "evaluate.compare_paired": {
        "first": {"P@1": [0.0, 1.0, 1.0]}, "second": {"P@1": [1.0, 1.0, 0.0]}, "n_resamples": 20,
        "n_flips": 20,
    },
    "evaluate.confuse": {"retrieval": lambda at: _ranked(), "labels": ["a", "b"]},
    "evaluate.score_classes": {"retrieval": lambda at: _ranked(), "labels": ["a", "b"]},
    "evaluate.measure_hits": {
        "hits": np.array([[1, 2], [0, 2]]), "query_labels": LABELS[:2], "own": False
    },
    "evaluate.precision_of_neighbors": {
        "neighbors": lambda at: _index("Exact").search(QUERIES, 3), "query_labels": LABELS[:3]
    },
    "evaluate.rank_all": {"queries": QUERIES, "query_labels": LABELS[:3], "metric": "euclidean"},
    "evaluate.rank_others": {"metric": "euclidean"},
    "evaluate.leave_one_out": {"vectors": ROWS / np.linalg.norm(ROWS, axis=1, keepdims=True)},
    **{
        f"index.{name}.{method}": given
        for name in ("Annoy", "Exact", "HNSW", "KDTree", "KMeansTree")
        for method, given in {
            "add": {"ids": [100, 101], "vectors": ROWS[:2] + 1},
            "remove": {"ids": [0, 1]},
            "load": {"folder": lambda at, name=name: _saved(at, name)},
            "leaf_of": {},
            "ids_in": {"code": 0},
            "path_of": {"code": 0},
            "measure": {"query": ROWS[0], "rows": np.array([0, 1])},
        }.items()
    },
    "plots.Curve()": {"recalls": [0.9, 1.0], "rates": [100.0, 10.0], "name": "a"},
    "plots.Groups()": {"numbers": LABELS, "names": ["a", "b"]},
    "plots.Groups.of": {"rows": np.array([0, 1])},
    "plots.assign_to_grid": {"n_rows": 5, "n_columns": 5},
    "plots.check_picture": {"path": lambda at: at.scratch / "b.png"},
    "plots.check_ending": {"path": lambda at: at.scratch / "a.png"},
    "plots.confusion": {"labels": ["a", "b"], "shares": np.eye(2)},
    "plots.contact_sheet": {"rows": lambda at: [_class("plots.SheetRow")("a", "b", [_jpeg()])]},
    "plots.distance_curve": {"distances": np.linspace(0, 1, 9, dtype=np.float32), "unit": "cosine"},
    "plots.figure_bytes": {"figure": lambda at: _figure(), "form": "png"},
    "plots.images_map": {"points": ROWS[:3, :2], "pictures": lambda at: lambda rows: [_jpeg()] * len(rows)},
    "plots.k_curves": {"ks": [2, 3], "inertias": [3.0, 2.0], "silhouettes": [0.5, 0.4], "suggested": 2},
    "plots.kept_neighbors": {"cells": np.arange(24), "n_columns": 5},
    "plots.paint_swatch": {"color": "#ff0000"},
    "plots.read_size": {"words": "hd"},
    "plots.recall_throughput": {"curves": lambda at: [_class("plots.Curve")("a", [0.9, 1.0], [9.0, 1.0])]},
    "plots.result_strip": {"queries": lambda at: [_tile()], "hits": lambda at: [_tile()]},
    "plots.save_figure": {"figure": lambda at: _figure(), "path": lambda at: at.scratch / "a.png"},
    "plots.scree": {"kept": 2},
    "plots.draw_difference": {
        "first": np.zeros((4, 6, 3), np.uint8),
        "second": np.zeros((4, 6, 4), np.uint8),
        "differences": np.zeros((4, 6), np.float32),
    },
    "plots.tile_sheet": {"tiles": lambda at: [_tile()]},
    "plots.tiles_map": {"points": ROWS[:3, :2], "pictures": lambda at: lambda rows: [_jpeg()] * len(rows)},
    "plots.use_theme": {"dark": True},
    "plots.worst_queries": {"rows": lambda at: [_class("plots.QueryRow")(_tile(), [_tile()], [True])]},
    "projection.place": {
        "new_vectors": ROWS[:2], "projection": lambda at: _class("projection.project")(ROWS, "pca")
    },
    "projection.project": {"method": "pca"},
}  # fmt: skip

# Plain calls that are refused here, and why.
REFUSED = {
    "Url()": "nothing is fetched",
    "Words()": "the model of the scene knows only images",
}

# Parameters that are not looked at, by design, or that are nobody's to give.
IGNORED = {"self", "y", "deep", "kwargs", "fit_params", "others", "known", "facts", "default"}

_SKLEARNS = {"get_metadata_routing", "get_params", "set_params", "set_output", "get_feature_names_out"}
_PYTHONS = ("__getitem__", "__contains__", "__len__", "__iter__", "__call__")


@dataclass(frozen=True, slots=True)
class Door:
    """Something that can be called.

    Attributes
    ----------
    path : str
        ``index.Exact.search``; a constructor ends in ``()``.
    make : callable
        Of a scene: the function, bound.
    parameters : mapping of str to str
        The kind of each, by name; see `absurd_values.KINDS`.
    plain : mapping
        With what it is called.
    use : callable, optional
        What is done with what was made.
    """

    path: str
    make: Make
    parameters: Mapping[str, str]
    plain: Mapping[str, Any]
    use: Callable[[Scene, Any], Any] | None = None

    def given(self, scene: Scene) -> dict[str, Any]:
        """Return the plain arguments; what needs the scene is made now."""
        made = {}
        for name, value in self.plain.items():
            made[name] = value(scene) if inspect.isfunction(value) else value
        return made


def public_paths() -> Iterator[tuple[str, Any]]:
    """Give each public name of the package and of its public modules, once."""
    seen: set[int] = set()
    for module in ("", *MODULES):
        package = importlib.import_module(f"lookalike.{module}" if module else "lookalike")
        for name in package.__all__:
            found = getattr(package, name)
            if id(found) not in seen:
                seen.add(id(found))
                yield (f"{module}.{name}" if module else name), found


def doors() -> tuple[list[Door], list[str]]:
    """Return all that can be called, and what no table says how to call."""
    found: list[Door] = []
    untold: list[str] = []
    for path, thing in public_paths():
        if path in LEFT_OUT or not callable(thing) or typing.get_origin(thing) is not None:
            continue
        if not inspect.isclass(thing):
            if inspect.isroutine(thing):
                _take(path, thing, lambda scene, thing=thing: thing, found, untold)
            continue
        if (
            issubclass(thing, Exception)
            or thing.__module__ in ("builtins", "typing")
            or issubclass(thing, str)
        ):
            continue
        own = _methods(thing)
        if f"{path}()" not in LEFT_OUT and (path in USED or _checks(thing) or f"{path}()" in GIVEN):
            _take(f"{path}()", thing, lambda scene, thing=thing: thing, found, untold, USED.get(path))
        for name, kind in own.items():
            here = f"{path}.{name}"
            if here in LEFT_OUT:
                continue
            if kind == "class":
                _take(
                    here,
                    getattr(thing, name),
                    lambda scene, thing=thing, name=name: getattr(thing, name),
                    found,
                    untold,
                )
            elif path in THINGS:
                make = THINGS[path]
                if kind == "property":
                    get = lambda scene, make=make, name=name: lambda: getattr(make(scene), name)  # noqa: E731
                    found.append(Door(here, get, {}, {}))
                else:
                    bound = lambda scene, make=make, name=name: getattr(make(scene), name)  # noqa: E731
                    _take(here, getattr(thing, name), bound, found, untold)
            elif kind == "method" and _asks(getattr(thing, name)):
                untold.append(f"{here}: of what? Give its class a row of THINGS")
    return found, untold


def _methods(kind: type) -> dict[str, str]:
    found = {}
    for name in dir(kind):
        if (name.startswith("_") and name not in _PYTHONS) or name in _SKLEARNS or name.startswith("set_fit"):
            continue
        static = inspect.getattr_static(kind, name)
        if isinstance(static, property):
            if "was called before" not in (static.__doc__ or ""):
                found[name] = "property"
        elif isinstance(static, classmethod | staticmethod):
            found[name] = "class"
        elif inspect.isfunction(static):
            module = static.__module__ or ""
            if module.startswith("lookalike") or name in ("fit_predict", "fit_transform"):
                found[name] = "method"
    return found


def _checks(kind: type) -> bool:
    """Tell whether a class looks at what it is made of: those that only hold results do not."""
    if dataclasses.is_dataclass(kind):
        return "__post_init__" in dir(kind)
    return False


def _asks(function: Any) -> bool:
    names = [each for each in inspect.signature(function).parameters if each not in IGNORED]
    return any(name not in ("path", "tell") for name in names)


def _take(
    path: str,
    function: Any,
    make: Make,
    found: list[Door],
    untold: list[str],
    use: Callable[[Scene, Any], Any] | None = None,
) -> None:
    parameters, plain = {}, dict(GIVEN.get(path, {}))
    for name, each in inspect.signature(function).parameters.items():
        if name in IGNORED or each.kind is each.VAR_KEYWORD:
            continue
        parameters[name] = kind_of(name, str(each.annotation))
        if name not in plain and each.default is each.empty and name in PLAIN:
            plain[name] = PLAIN[name]
        if name not in plain and each.default is each.empty and each.kind is not each.VAR_POSITIONAL:
            untold.append(f"{path}: what is {name}? Give it a value in GIVEN or PLAIN")
    found.append(Door(path, make, parameters, plain, use))


_KINDS = (
    (r"^(report|cancel|say|tell)$", r"", "callable"),
    (r"", r"Callable|ProgressReport|CancelToken|Batches|Pictures", "callable"),
    (r"", r"^'?Mapping|^'?dict\[|FieldsByFile", "mapping"),
    (r"^pixels$", r"", "pixels"),
    (r"^(labels|query_labels|query_codes|codes)$", r"ArrayLike|Numbers", "labels"),
    (r"", r"ArrayLike|NDArray|Vectors|^'?Ids|Doubles|Numbers|Rows|PixelArray", "numbers"),
    (r"", r"Mapping|dict\[|FieldsByFile", "mapping"),
    (r"", r"Sequence|Iterable|tuple\[|Images|Size", "list"),
    (r"", r"PathLike|\bPath\b", "path"),
    (r"", r"\bfloat\b", "real"),
    (r"", r"\bint\b", "whole"),
    (r"", r"\bbool\b", "switch"),
    (r"", r"\bstr\b|Literal|Metric|Labeling|Linkage|Mode|Split|Verdict|PairDecision", "text"),
    (r"^random_state$", r"Any", "whole"),
)


def kind_of(name: str, annotation: str) -> str:
    """Return the kind of values that a parameter takes, by its name and annotation."""
    for of_name, of_annotation, kind in _KINDS:
        if re.search(of_name, name) and re.search(of_annotation, annotation):
            return kind
    return "anything"


def _index(name: str) -> Any:
    return _class(f"index.{name}")().build(ROWS)


def _saved(at: Scene, name: str) -> Any:
    place = at.scratch / f"saved-{name}"
    _index(name).save(place)
    return place


def _ranked() -> Any:
    return _class("evaluate.rank_others")(ROWS, LABELS, metric="euclidean")


def _compared() -> Any:
    return _class("bench.compare_indexes")(ROWS, kinds=["exact"], recalls=[0.9], seconds=0.01, k=2)


def _damaged(at: Scene) -> Any:
    """Return the collection without a file of its map."""
    for file in (at.photos / ".lookalike" / "maps" / "map").glob("arrays-*.npz"):
        file.unlink()
    return at.collection


def _planned(at: Scene) -> Any:
    """Return a plan for a copy of a file."""
    shutil.copy(at.photo, at.photo.with_name("another copy.png"))
    at.collection.sync()
    at.collection.duplicates.find()
    return at.collection.duplicates.plan(at.collection.duplicates.groups())


def _plan_file(at: Scene) -> Any:
    """Return the file of a plan."""
    file = at.scratch / "plan.json"
    _planned(at).save(file, force=True)
    return file


def _acted(at: Scene) -> Any:
    """Return what would be done by a plan."""
    return at.collection.duplicates.apply(_planned(at), "move", at.scratch / "away", dry_run=True)


def _duplicates(at: Scene) -> Any:
    """Return groups of all that is alike at all."""
    at.collection.duplicates.find()
    found = at.collection.duplicates.groups(min_probability=0)
    if not len(found):  # a file that is there twice is a group, whatever the pictures show
        shutil.copy(at.photo, at.photo.with_name("a copy.png"))
        at.collection.sync()
        found = at.collection.duplicates.groups(min_probability=0)
    return found


def _matched(at: Scene) -> Any:
    """Return the first image matched with the others."""
    first, *others = (lookalike.Filter(ids=[image]) for image in at.ids[:2])
    return at.collection.match(where=first, other_where=others[0], model="own")


def _table(at: Scene) -> Any:
    place = at.scratch / "table.csv"
    place.write_text("path,price\ncats/0.png,3\n", encoding="utf-8")
    return place


def _pca_file(at: Scene) -> Any:
    place = at.scratch / "pca.npz"
    place.unlink(missing_ok=True)
    lookalike.PCA(2).fit(ROWS).save(place)
    return place


def _said_file(at: Scene) -> Any:
    place = at.scratch / "said.jsonl"
    place.unlink(missing_ok=True)
    at.collection.said.export(place)
    return place


def _dataset() -> Any:
    images, labels = np.zeros((8, 4), np.float32), np.arange(8) % 2
    return _class("datasets.Dataset")(
        "d", "D", images, labels, images[:0], labels[:0], ("a", "b"), (2, 2), "none", "here"
    )


def _jpeg() -> bytes:
    import io

    from PIL import Image

    kept = io.BytesIO()
    Image.new("RGB", (8, 8)).save(kept, "JPEG")
    return kept.getvalue()


def _tile() -> Any:
    return _class("plots.Tile")(_jpeg(), "a")


def _figure() -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(1, 1))
