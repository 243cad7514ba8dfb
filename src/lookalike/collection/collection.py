"""What users have in hand: made, opened, brought up to date with the disk, asked."""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from lookalike.answers import (
    Clustering,
    ClusteringEvaluation,
    ClusteringEvaluations,
    Evaluation,
    ImageInfo,
    ImageMap,
    Info,
    RootInfo,
    SearchResult,
    SyncReport,
)
from lookalike.bench import RECALLS, IndexComparison
from lookalike.collection.closed import Closed
from lookalike.collection.clusterings.editing import change_clusters
from lookalike.collection.clusterings.exporting import check_export, export_clustering
from lookalike.collection.clusterings.making import check_algorithm, find_clusters, try_distances, try_ks
from lookalike.collection.describing import (
    describe,
    describe_clustering,
    describe_image,
    describe_map,
    describe_roots,
)
from lookalike.collection.embedded import Embedded, embedded_images, nothing_embedded, vector_table
from lookalike.collection.evaluation.ground_truth import read_ground_truth
from lookalike.collection.evaluation.indexes import compare_on_collection
from lookalike.collection.evaluation.retrieval import (
    MOST_QUERIES,
    Asked,
    Contender,
    evaluate_clustering,
    evaluate_retrieval,
)
from lookalike.collection.manifest_file import ManifestFile
from lookalike.collection.maps.making import make_map, place_later
from lookalike.collection.models.reducing import reduce_model
from lookalike.collection.models.training import train_model
from lookalike.collection.moving import move_root
from lookalike.collection.opening import create
from lookalike.collection.places import Places
from lookalike.collection.searchers import AUTO as AUTO_INDEX
from lookalike.collection.searchers import Searchers, check_request, choose_kind, is_kind
from lookalike.collection.searching import Asking, all_with_vectors, search
from lookalike.collection.stored.clusterings import StoredClusterings, check_clustering_name
from lookalike.collection.stored.maps import StoredMaps, check_map_name
from lookalike.collection.stored.named_folders import read_each
from lookalike.collection.syncing import Work, sync
from lookalike.embed import AUTO, Compute, Model, ModelRegistry, base_name, check_device
from lookalike.errors import (
    CollectionConflictError,
    CollectionNotFoundError,
    InvalidInputError,
    LockedError,
    QueryNotFoundError,
    StoreDamagedError,
)
from lookalike.hints import Hint
from lookalike.images import encode_thumbnail
from lookalike.index.contract import check_recall
from lookalike.pca import PCA
from lookalike.projection import Method, Report
from lookalike.projection.contract import silent
from lookalike.query.appearance import read_color
from lookalike.query.embedding import EmbeddedQuery, Query, several_queries
from lookalike.query.filter import Filter
from lookalike.store import Labelling, Store, find_collection, writer_lock
from lookalike.sync import COMMIT_SECONDS, Progress, locate
from lookalike.system.cores import usable_cores
from lookalike.train import AutoencoderSettings, FinetuneSettings, Running, Trained
from lookalike.types import Hit, ImageId, Vectors

if TYPE_CHECKING:
    from lookalike.cluster import Choice, KDistances


class Collection:
    """Images on the disk, made searchable. Made by `create`, found again by `open`.

    Examples
    --------
    >>> photos = Collection.create(photo_folder)
    >>> report = photos.sync()
    >>> report.added, report.embedded, report.failed
    (4, 4, 0)
    >>> result = photos.search(photo_folder / "stripes.png", k=1)
    >>> os.path.basename(result.hits[0].path)
    'stripes-brighter.png'
    """

    def __init__(self, manifest: ManifestFile, models: ModelRegistry) -> None:
        folder = manifest.folder
        self.folder = folder
        self._manifest = manifest
        self._store = Store(folder)
        self._indexes = Searchers(folder)
        self._clusterings = StoredClusterings(folder)
        self._maps = StoredMaps(folder)
        self._models = models

    @classmethod
    def create(
        cls,
        folder: str | os.PathLike[str],
        model: str | None = None,
        labels: Labelling = "folders",
        exclude: Sequence[str] = (),
        with_root: bool = True,
        check_model: bool = True,
    ) -> Collection:
        """Make a collection in ``folder/.lookalike``. It is empty until the first `sync`.

        Parameters
        ----------
        folder : path
            The folder of images; or, without `with_root`, any folder, made if need be.
        model : str, optional
            The model of the collection, for good: a name, or the path of an ONNX file; lookalike's default of
            today if none is named.
        labels, exclude
            See `add_root`.
        with_root : bool
            Whether the folder itself is the first root.
        check_model : bool
            Whether to load the model, and fetch it if need be, before anything is written.

        Raises
        ------
        CollectionError
            If there is a collection already, no such folder, or no right to write to it.
        ModelError
            If there is no such model, or it cannot be loaded; no collection has been made.

        Examples
        --------
        >>> len(Collection.create(photo_folder))
        0
        """
        home = Path(os.path.abspath(folder))
        return cls(*create(home, model, labels, exclude, with_root, check_model))

    @classmethod
    def open(cls, start: str | os.PathLike[str] = ".", above: bool = True) -> Collection:
        """Open the collection that a folder is in.

        Parameters
        ----------
        start : path
            The folder that holds ``.lookalike``, or the ``.lookalike`` itself.
        above : bool
            Whether it may also be any folder below the one that holds it.

        Raises
        ------
        CollectionError
            If there is none, or it is damaged.

        Examples
        --------
        >>> Collection.create(photo_folder).folder == Collection.open(photo_folder).folder
        True
        """
        place = cls.find(start, above)
        if place is None:
            where = f"{os.path.abspath(start)} or above it" if above else os.path.abspath(start)
            raise CollectionNotFoundError(f"there is no collection in {where}", hint=Hint("make_collection"))
        return cls(ManifestFile.open(place), ModelRegistry(place / "models"))

    def close(self) -> None:
        """Let go of indexes, models and tables; whatever is asked afterwards raises CollectionError.

        Closing twice is fine. What other threads are at comes to its end.

        Examples
        --------
        >>> photos = Collection.create(photo_folder)
        >>> photos.close()
        >>> len(photos)
        Traceback (most recent call last):
        ...
        lookalike.errors.CollectionConflictError: the collection in ... is closed
        """
        vars(self).update(dict.fromkeys(vars(self).keys() - {"folder"}, Closed(self.folder)))

    def __enter__(self) -> Self:
        """Return the collection itself, to be closed at the end of a ``with`` block.

        Examples
        --------
        >>> with Collection.create(photo_folder) as photos:
        ...     len(photos)
        0
        """
        return self

    def __exit__(self, *raised: object) -> None:
        """Close the collection."""
        self.close()

    @staticmethod
    def find(start: str | os.PathLike[str] = ".", above: bool = True) -> Path | None:
        """Return the ``.lookalike`` folder that `open` would open, or None if there is none."""
        return find_collection(Path(start), above)

    def remove_if_empty(self) -> None:
        """Remove the ``.lookalike`` folder if the collection holds no images, and nobody is writing to it."""
        with contextlib.suppress(LockedError), writer_lock(self.folder):
            if not len(self):
                shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _places(self) -> Places:
        return Places(self._store, self._manifest.manifest, self._clusterings)

    @property
    def roots(self) -> tuple[Path, ...]:
        """The folders of images, absolute."""
        return tuple(place for _, place in self._places.of_roots())

    @property
    def datasets(self) -> tuple[str, ...]:
        """The names of the data sets that were added."""
        return self._places.datasets

    def holds(self, path: str | os.PathLike[str]) -> bool:
        """Tell whether a file or folder lies in one of the roots; it need not exist."""
        return locate(self.roots, Path(os.path.abspath(path))) is not None

    def roots_of(self, paths: Iterable[str | os.PathLike[str]]) -> list[Path]:
        """Return the roots that some files and folders lie in."""
        found = [locate(self.roots, Path(os.path.abspath(path))) for path in paths]
        return [root for root in self.roots if any(held and held[0] == root for held in found)]

    @property
    def model(self) -> str:
        """The name of the default model."""
        return self._manifest.manifest.model

    def add_root(
        self,
        folder: str | os.PathLike[str],
        labels: Labelling | None = None,
        exclude: Sequence[str] | None = None,
    ) -> None:
        """Add a folder of images, or change how one is read; the next `sync` reads it, and remembers it.

        Parameters
        ----------
        folder : path
        labels : {"folders", "none"}, optional
            Whether the name of the folder that an image lies in is its label. Yes, for a new root.
        exclude : sequence of str, optional
            Globs of names and relative paths to pass over. None, for a new root.

        Raises
        ------
        CollectionError
            If there is no such folder, or it lies inside a root, or around one.
        """
        self._manifest.add_folder(folder, labels, exclude)

    def list_roots(self) -> tuple[RootInfo, ...]:
        """Return the folders and data sets that the collection is made of, and whether they are there.

        Examples
        --------
        >>> photos = Collection.create(photo_folder)
        >>> [(root.images, root.is_there) for root in photos.list_roots()]
        [(0, True)]
        """
        return describe_roots(self._places)

    def move_root(self, old: str | os.PathLike[str], new: str | os.PathLike[str]) -> int:
        """Say that a folder of images lies elsewhere now; nothing is read again, nor embedded.

        Up to 50 of its files are looked for in the new place, with the size and content that they had. Some
        may have been edited or deleted meanwhile, which the next `sync` sees.

        Parameters
        ----------
        old : path
            The root, by the folder that it was, or by its name.
        new : path
            The folder in which the same files lie now.

        Returns
        -------
        int
            How many files were compared.

        Raises
        ------
        CollectionError
            If there is no such root or folder, the files in it are others, or it overlaps another root;
            nothing has been changed.
        LockedError
            If another process is writing to the collection.
        """
        return move_root(self._store, self._manifest, old, new)

    def add_dataset(self, name: str) -> tuple[Path, ...]:
        """Add a data set that lookalike knows by name; the next `sync` reads it, and remembers it.

        Its images have paths such as ``mnist:test/42``, which are also queries. A data set of ordinary files
        is added as the folder that it is, which is returned.

        Raises
        ------
        DatasetError
            If there is no data set of that name, or it has to be fetched and cannot be.

        Examples
        --------
        >>> digits = Collection.create(photo_folder)
        >>> digits.add_dataset("mnist")
        ()
        >>> digits.datasets
        ('mnist',)
        """
        return self._manifest.add_dataset(name)

    def sync(
        self,
        paths: Sequence[str | os.PathLike[str]] = (),
        *,
        datasets: Sequence[str] | None = None,
        model: str | None = None,
        dry_run: bool = False,
        prune: bool = False,
        reread: bool = False,
        jobs: int | None = None,
        device: str = AUTO,
        report: Callable[[Progress], None] = lambda progress: None,
        say: Callable[[str], None] = lambda words: None,
        commit_seconds: float = COMMIT_SECONDS,
    ) -> SyncReport:
        """Bring the collection up to date with the disk.

        Parameters
        ----------
        paths : sequence of path
            Only these folders, files and globs, which lie inside the roots; everything by default.
        datasets : sequence of str, optional
            Only these of the data sets that were added; with paths none by default.
        model : str, optional
            Embed with this model only: a name, or the path of an ONNX file. One that is new to the collection
            is added, beside those that are there. By default with the collection's own model and all that
            were added.
        dry_run : bool
            Only report what would be done, and open no file: what fails only once it is opened is missing
            from `failures`, `embedded` counts copies, which are known for such only then, and `doubtful` says
            of how many files the content would have to be compared.
        prune : bool
            Let images go although a root is missing, or lost more than half of them at once.
        reread : bool
            Read everything again, also what shows no sign of a change: pixels, metadata and vectors of the
            models that are brought up to date.
        jobs : int, optional
            How many images to work on side by side; the number of cores by default.
        device : {"auto", "cpu", "cuda", "openvino", "coreml"}
            Where the network runs; by default on an Nvidia GPU where ONNX Runtime can use one, else on the
            processor.
        report : callable
            Told of the progress.
        say : callable
            Told in words what else takes its time: bringing up to date what an earlier version has read.
        commit_seconds : float
            How much work a kill may lose.

        Returns
        -------
        SyncReport

        Raises
        ------
        MissingImagesError
            If a root is missing or lost more than half of its images, and nothing has been changed; or if
            more than half of the files that are to be read cannot be, and no image has been taken out.
        LockedError
            If another process is writing to the collection.
        CollectionError
            If a path does not exist, or lies in no root.
        ModelError
            If a model that has anything to embed cannot be loaded; nothing has been changed.
        StoreError
            If a table cannot be written; what was committed is kept.

        Examples
        --------
        >>> photos = Collection.create(photo_folder)
        >>> photos.sync(dry_run=True).added, len(photos)
        (4, 0)
        """
        if isinstance(paths, str | os.PathLike):
            paths = [paths]
        if jobs is not None:
            _check_count("jobs", jobs)
        check_device(device)
        return sync(
            self._store,
            self._models,
            self._manifest,
            self._clusterings,
            paths,
            datasets,
            model,
            dry_run,
            prune,
            reread,
            Work(jobs or usable_cores(), Compute(threads=1, device=device), report, say, commit_seconds),
        )

    def reduce(self, n_components: int | float, model: str | None = None, whiten: bool = False) -> str:
        """Reduce the vectors of a model by PCA: to a number of dimensions, or to a share of the variance.

        The components are fitted on the vectors that the collection holds now, and frozen as a model of the
        collection's own, beside the others: `search` takes it as `model`, and `sync` keeps it up to date.

        Parameters
        ----------
        n_components : int or float
            How many dimensions; or the share of the variance to keep, between 0 and 1.
        model : str, optional
            Whose vectors; the collection's own model by default.
        whiten : bool
            Give every component the same variance.

        Returns
        -------
        str
            The new model's name, such as ``lite0-int8+pca128``. Fitting again makes a new name.

        Raises
        ------
        InvalidInputError
            If there are too few images for so many dimensions.
        CollectionError
            If no image has a vector of the model.
        """
        base = self._models.get(self.model if model is None else model)
        pca = PCA(n_components, whiten)
        with writer_lock(self.folder):
            return reduce_model(self._store, self._models, pca, base, model)

    def pca(self, model: str) -> PCA:
        """Return the components of a model that `reduce` made.

        Raises
        ------
        ModelError
            If there is no such model.
        InvalidInputError
            If it is not reduced.
        """
        if base_name(self._models.get(model).name) is None:
            raise InvalidInputError(f"{model} is not reduced by PCA; expected a model such as {model}+pca128")
        return self._models.pca(model)

    def train(
        self,
        settings: AutoencoderSettings | FinetuneSettings,
        labels: str | os.PathLike[str] | None = None,
        running: Running | None = None,
    ) -> Trained:
        """Train a network on the images of the collection, as a model of its own: `sync` embeds with it.

        A training that was cut off goes on when it is asked for again with the same settings.

        Parameters
        ----------
        settings : AutoencoderSettings or FinetuneSettings
            What is to be trained.
        labels : str or path, optional
            For fine-tuning: a CSV file with columns ``path`` and ``label``; or the name of a clustering,
            whose clusters' names are labels. By default those of folders and data sets.
        running : Running, optional
            The device, threads, and whom to tell.

        Raises
        ------
        ModelError
            If torch is missing, there is a model of that name, the device or memory does not suffice, or the
            training that was cut off is damaged or was begun with other settings. Nothing has been changed.
        CollectionError
            If the images or labels do not suffice.
        InvalidInputError
            If an argument is of the wrong type, or labels are given that nothing would learn from.
        """
        return train_model(
            self._places, self._models, settings, labels, Running() if running is None else running
        )

    def search(
        self,
        *queries: Query,
        k: int = 10,
        without: Query | Sequence[Query] = (),
        model: str | None = None,
        split: str | None = None,
        color: str | Sequence[str] | None = None,
        where: Filter | None = None,
        same_cluster: str | None = None,
        include_self: bool = False,
        allow_private: bool = False,
        device: str = AUTO,
        index: str = AUTO_INDEX,
        recall: float = 0.99,
        mode: str | None = None,
        report: Callable[[str], None] = lambda words: None,
    ) -> SearchResult:
        """Find the images most like the queries, or those of a colour.

        Parameters
        ----------
        *queries : path, URL, words, (height, width, 3) uint8 pixels, or image of Pillow's
            Several make one query, their mean. Words need a model that knows text. None, where a colour is
            given: the images that have most of the colour come first, and their score is how much of it they
            have, 0 to 1.
        k : int
            How many images to return; all there are, if they are fewer.
        without : one of the same, or a sequence of them
            Images and words whose likes are not wanted.
        model : str, optional
            Which of the collection's models; its own by default.
        split : {"train", "test"}, optional
            Search only among the images of this split of the data sets.
        color : str or sequence of str, optional
            CSS colours, such as ``#c33`` or ``tomato``. Hits have all of them: of each, at least a twentieth
            of the picture, less if it is only near.
        where : Filter, optional
            Search only among the images that pass.
        same_cluster : str, optional
            Search only in the query's cluster of this clustering: the one that it is in, where it is an image
            of the collection and no noise; else the one whose centre is nearest. The model is the
            clustering's.
        include_self : bool
            Whether an image of the collection that is itself a query may be a hit.
        allow_private : bool
            Whether URLs may name addresses of the local network.
        device : {"auto", "cpu", "cuda", "openvino", "coreml"}
            Where the network runs; see `sync`.
        index : str
            Which kind of index answers: "exact", "kmeans-tree", … (see `lookalike.index`); by default exact
            search, or the k-means tree from half a gigabyte of vectors on. It is made when it is first asked
            for, and again when more than a tenth of the images has come or gone; fewer are added and removed.
        recall : float
            The share of the true neighbours that may be expected, above 0; 1 is proved. Words, and queries
            with `without`, are always answered as for 1.
        mode : {"leaf", "bbf", "exact"}, optional
            How to ask a KD-tree, in place of what the recall takes; see `lookalike.index`.
        report : callable
            Told in words what is being made, where that may take a while.

        Returns
        -------
        SearchResult

        Raises
        ------
        InvalidInputError
            If there is no such index or mode, its library is not installed, or k or recall is out of range.
        QueryError
            If a query is no image, no file, or words that the model does not know; or if no image has a label
            of the filter.
        ModelError
            If there is no such model, or it is needed and cannot be loaded.
        CollectionError
            If the collection is empty, or its images have not been embedded with the model.

        Examples
        --------
        >>> photos = Collection.create(photo_folder)
        >>> report = photos.sync()
        >>> len(photos.search(photo_folder / "stripes.png", where=Filter(min_size=10_000)).hits)
        0
        """
        check_device(device)
        _check_count("k", k)
        check_request(index, mode)
        check_recall(recall)
        return search(
            self._places,
            self._indexes,
            self._models,
            queries,
            k,
            several_queries("without", without),
            model,
            tuple(map(read_color, _colors(color))),
            where,
            split,
            same_cluster,
            include_self,
            allow_private,
            device,
            Asking(index, recall, mode, report),
        )

    def cluster(
        self,
        algorithm: str = "kmeans",
        k: int | None = None,
        *,
        name: str | None = None,
        model: str | None = None,
        eps: float | None = None,
        min_samples: int | None = None,
        min_cluster_size: int | None = None,
        random_state: int = 0,
        in_batches: bool | None = None,
        report: Callable[[str], None] = lambda words: None,
    ) -> Clustering:
        """Find groups of look-alikes, and keep them under a name.

        Parameters
        ----------
        algorithm : {"kmeans", "hierarchical", "dbscan", "hdbscan", "spectral", "agglomerative"}
            See `lookalike.cluster`.
        k : int, optional
            How many clusters; by default the root of half the number of images, 2 to 100. The density
            algorithms, DBSCAN and HDBSCAN, find it themselves.
        name : str, optional
            Under which it is kept; the algorithm's by default. One of that name is replaced, unless clusters
            of it were named or merged, or images moved.
        model : str, optional
            Which of the collection's models; its own by default.
        eps : float, optional
            DBSCAN: how far neighbours may be; by default as `lookalike.cluster.suggest_eps` says.
        min_samples : int, optional
            DBSCAN: neighbours within eps that make a dense place, 5 by default. HDBSCAN: see there.
        min_cluster_size : int, optional
            HDBSCAN: what is smaller is noise; 5 by default.
        random_state : int
            The same images and number give the same clusters.
        in_batches : bool, optional
            k-means: read the vectors from the disk again and again instead of holding them in memory; by
            default where they would take more than a third of what is free. It is slower, and starts from a
            sample, so that the clusters are others, and about as good; `Clustering.parameters` says so.
        report : callable
            Told in words what is being done.

        Raises
        ------
        InvalidInputError
            If there is no such algorithm, it does not take a parameter, one is out of range, the name cannot
            be one, or there are no two images that differ.
        CollectionError
            If the collection is empty, its images have not been embedded with the model, the clustering of
            that name was changed by its user, or the vectors do not fit into memory.

        Examples
        --------
        >>> photos = Collection.create(photo_folder, model="pixels-8-grey")
        >>> report = photos.sync()
        >>> found = photos.cluster(k=2)
        >>> [cluster.size for cluster in found.clusters], photos.clusterings()
        ([3, 1], ['kmeans'])
        """
        given = {"k": k, "eps": eps, "min_samples": min_samples, "min_cluster_size": min_cluster_size}
        check_algorithm(algorithm, given)
        name = check_clustering_name(algorithm if name is None else name)
        self._check_replaceable(name)
        chosen, embedded = self._embedded(model)
        found = find_clusters(
            name, chosen.name, chosen.metric, embedded, algorithm, given, in_batches, random_state, report
        )
        with self._clusterings.lock():
            self._check_replaceable(name)
            self._clusterings.write(found)
        return describe_clustering(self._places, found, chosen)

    def try_ks(
        self,
        ks: Iterable[int] | None = None,
        *,
        model: str | None = None,
        random_state: int = 0,
        report: Callable[[str], None] = lambda words: None,
    ) -> Choice:
        """Say what k-means makes of several numbers of clusters, and keep nothing.

        Of a large collection, a sample is clustered: `Choice.n_rows` images, as many as make some 100 MB of
        vectors.

        Parameters
        ----------
        ks : iterable of int, optional
            From 2 to the number of images less one; by default as `lookalike.cluster.choose_k`.
        model : str, optional
            Which of the collection's models; its own by default.
        random_state : int
        report : callable
            Told in words what is being done.

        Raises
        ------
        InvalidInputError
            If there are fewer than 3 images, no two that differ, or a number is out of range.
        CollectionError
            If the collection is empty, or its images have not been embedded with the model.

        Examples
        --------
        >>> photos = Collection.create(photo_folder, model="pixels-8-grey")
        >>> report = photos.sync()
        >>> photos.try_ks([2, 3]).suggested
        3
        """
        chosen, embedded = self._embedded(model)
        return try_ks(chosen.name, embedded, ks, random_state, report)

    def try_distances(
        self,
        min_samples: int | None = None,
        *,
        model: str | None = None,
        report: Callable[[str], None] = lambda words: None,
    ) -> KDistances:
        """Say what DBSCAN makes of all distances, and suggest one; keep nothing.

        Parameters
        ----------
        min_samples : int, optional
            As for `cluster`.
        model : str, optional
            Which of the collection's models; its own by default.
        report : callable
            Told in words what is being done.

        Raises
        ------
        InvalidInputError, CollectionError
            As for `cluster`.

        Examples
        --------
        >>> photos = Collection.create(photo_folder, model="pixels-8-grey")
        >>> report = photos.sync()
        >>> found = photos.try_distances(min_samples=2)
        >>> found.at(found.eps).n_clusters
        1
        """
        chosen, embedded = self._embedded(model)
        return try_distances(chosen.name, chosen.metric, embedded, min_samples, report)

    def clusterings(self) -> list[str]:
        """Return the names of the clusterings that are kept."""
        return self._clusterings.names()

    def clustering(self, name: str) -> Clustering:
        """Return a clustering that is kept, as far as its images are still there.

        Raises
        ------
        CollectionError
            If there is none of that name.
        StoreError
            If it is damaged.
        """
        stored = self._clusterings.read(name)
        return describe_clustering(self._places, stored, self._models.get(stored.model))

    def delete_clustering(self, name: str) -> None:
        """Delete a clustering."""
        self._clusterings.delete(name)

    def change_clusters(
        self,
        name: str,
        *,
        rename: Sequence[tuple[int | str, str]] = (),
        merge: Sequence[Sequence[int | str]] = (),
        move: Sequence[tuple[str | os.PathLike[str], int | str]] = (),
        assign: bool = False,
        report: Callable[[str], None] = lambda words: None,
    ) -> tuple[Clustering, int]:
        """Change clusters in several ways at once, in the order of the parameters: all is kept, or nothing.

        Parameters
        ----------
        name : str
            Of the clustering.
        rename : sequence of (cluster, name)
            Names for clusters that are known by number or name; an empty one takes the name back.
        merge : sequence of sequences of cluster
            Each becomes one cluster, which has the number of the first, and the first name that there is.
        move : sequence of (image, cluster)
            Images that go into another cluster, or into ``"noise"``.
        assign : bool
            Whether to put images that came later into clusters; see `assign_to_clusters`.
        report : callable
            Told in words what is being done.

        Returns
        -------
        clustering : Clustering
            Its `notes` say which names went.
        n_assigned : int
            How many images found a cluster.

        Raises
        ------
        CollectionError
            If there is no clustering of that name.
        InvalidInputError, QueryError
            If there is no such cluster or image, or a name would mislead; nothing has been changed.

        Examples
        --------
        >>> photos = Collection.create(photo_folder, model="pixels-8-grey")
        >>> report = photos.sync()
        >>> found = photos.cluster(k=3)
        >>> found, _ = photos.change_clusters("kmeans", rename=[(0, "stripes")], merge=[["stripes", 2]])
        >>> [(cluster.title, cluster.size) for cluster in found.clusters]
        [('stripes', 3), ('cluster 1', 1)]
        """
        with self._clusterings.lock():
            stored = self._clusterings.read(name)
            model = self._models.get(stored.model)
            embedded = None
            if merge or move or assign:
                embedded = embedded_images(self._store, self._indexes, model)
            moves = [(self._image_in(embedded, image), to) for image, to in move]
            stored, n_assigned, notes = change_clusters(
                stored, embedded, model.metric, rename, merge, moves, assign, report
            )
            if rename or merge or move:
                stored = replace(stored, changed=datetime.datetime.now().astimezone().isoformat())
            self._clusterings.write(stored)
        return replace(describe_clustering(self._places, stored, model), notes=notes), n_assigned

    def assign_to_clusters(
        self, name: str, report: Callable[[str], None] = lambda words: None
    ) -> tuple[Clustering, int]:
        """Put images that came later into the clusters that there are; centres stay where they are.

        Each goes to the nearest centre. In a clustering by density it goes with the nearest image that is in
        a cluster, if that is near enough: for DBSCAN, within `eps`; for HDBSCAN, no farther than some image
        of that cluster is from its own nearest fellow. Else it is noise.

        Returns
        -------
        clustering : Clustering
        n_assigned : int
            How many images found a cluster.
        """
        return self.change_clusters(name, assign=True, report=report)

    def rename_cluster(self, name: str, cluster: int | str, to: str) -> Clustering:
        """Give a cluster, known by its number or name, a name; an empty one takes the name back."""
        return self.change_clusters(name, rename=[(cluster, to)])[0]

    def merge_clusters(self, name: str, clusters: Sequence[int | str]) -> Clustering:
        """Make several clusters one, which has the number of the first."""
        return self.change_clusters(name, merge=[clusters])[0]

    def move_to_cluster(
        self, name: str, images: Sequence[str | os.PathLike[str]], cluster: int | str
    ) -> Clustering:
        """Put images of the collection into another cluster, or into ``"noise"``."""
        return self.change_clusters(name, move=[(image, cluster) for image in images])[0]

    def export_clustering(self, name: str, to: str | os.PathLike[str], form: str) -> int:
        """Write a clustering for other programs; nothing is overwritten.

        Parameters
        ----------
        name : str
        to : path
            A file that is not there yet; for folders, one that is not there or empty.
        form : {"csv", "json", "copy", "hardlink", "symlink"}
            A table with a row for each place of each image; or a folder for each cluster, with the image
            files as copies or links.

        Returns
        -------
        int
            How many images.

        Raises
        ------
        CollectionError
            If there is something in the way, a file is gone, or the system refuses; nothing is left behind.
        """
        check_export(Path(to), form)
        return export_clustering(self.clustering(name), self._places.of_images(), Path(to), form)

    def _check_replaceable(self, name: str) -> None:
        if name in self._clusterings.names() and self._clusterings.read(name).is_edited:
            raise CollectionConflictError(
                f"clusters of {name!r} were named or changed by hand, which would be lost",
                hint="choose another name, or delete that clustering first",
            )

    def _image_in(self, embedded: Embedded | None, image: str | os.PathLike[str]) -> ImageId:
        found = self._places.find(os.fspath(image))
        if embedded is None or found not in embedded.ids:
            raise QueryNotFoundError(f"{os.fspath(image)} is not in this collection", hint="index it first")
        return found

    def _embedded(self, model: str | None) -> tuple[Model, Embedded]:
        chosen = self._models.get(self.model if model is None else model)
        embedded = embedded_images(self._store, self._indexes, chosen)
        if not len(embedded):
            raise nothing_embedded(self._store, chosen.name, model)
        return chosen, embedded

    def thumbnails(self, images: Iterable[ImageId]) -> dict[ImageId, bytes]:
        """Return the thumbnails of some images, as JPEG files; images that are not there are passed over."""
        rows = self._store.thumbnails.read_where_in("id", images, ["id", "jpeg"]).to_pylist()
        return {ImageId(row["id"]): row["jpeg"] for row in rows}

    def query_thumbnails(self, queries: Sequence[EmbeddedQuery]) -> list[bytes | None]:
        """Return the thumbnails of queries that were asked, as JPEG files; None for words."""
        stored = self.thumbnails(
            query.id for query in queries if query.thumbnail is None and query.id is not None
        )
        missing = [
            query.name
            for query in queries
            if not query.is_text and query.thumbnail is None and query.id not in stored
        ]
        if missing:
            raise StoreDamagedError(
                f"the thumbnail of {missing[0]} is missing from {self.folder}", hint="index it again"
            )
        return [
            encode_thumbnail(query.thumbnail) if query.thumbnail else stored.get(ImageId(query.id or 0))
            for query in queries
        ]

    def vectors(self, model: str | None = None) -> tuple[list[Hit], Vectors]:
        """Return every image with its vector.

        Parameters
        ----------
        model : str, optional
            Which of the collection's models; its own by default.

        Returns
        -------
        images : list of Hit
            Of rank 0 and distance 0: they answer no query. By id, so that the same images come in the same
            order, whichever was indexed first.
        vectors : (n, d) float32
            Row i is that of ``images[i]``.
        """
        chosen = self._models.get(self.model if model is None else model)
        return all_with_vectors(self._places, self._indexes, chosen)

    def compare_indexes(
        self,
        model: str | None = None,
        k: int = 10,
        kinds: Sequence[str] | None = None,
        recalls: Sequence[float] = RECALLS,
        n_queries: int | None = None,
        query_split: str | None = None,
        gallery_split: str | None = None,
        random_state: int = 0,
        report: Callable[[str], None] = lambda step: None,
    ) -> IndexComparison:
        """Compare search indexes on the vectors of the collection; see `lookalike.bench.compare_indexes`.

        Parameters
        ----------
        model : str, optional
            Which of the collection's models; its own by default.
        k, kinds, recalls, random_state, report
            See there.
        n_queries : int, optional
            How many images to take as queries, at random; by default a tenth of them, or all of
            `query_split`, and at most 1,000.
        query_split : {"train", "test"}, optional
            The queries are images of this split of the data sets, and none of it is searched.
        gallery_split : {"train", "test"}, optional
            Only images of this split are searched.

        Raises
        ------
        CollectionError
            If the collection is empty, its images have not been embedded with the model, or none is in a
            split.
        InvalidInputError
            As there; or if there is only one image.
        """
        return compare_on_collection(
            self._places,
            self._models.get(self.model if model is None else model),
            model,
            query_split,
            gallery_split,
            k,
            kinds,
            recalls,
            n_queries,
            random_state,
            report,
        )

    def default_index(self, model: str | None = None) -> str:
        """Return the kind of index that searches with a model use unless another is named."""
        return choose_kind(
            vector_table(self._store, self._models.get(self.model if model is None else model))
        )

    def evaluate(
        self,
        k: int | Sequence[int] | None = None,
        *,
        model: str | None = None,
        index: str = "exact",
        recall: float = 0.99,
        compare: str | Sequence[str] = (),
        labels: str | os.PathLike[str] | None = None,
        query_split: str | None = None,
        gallery_split: str | None = None,
        n_queries: int = MOST_QUERIES,
        n_worst: int = 10,
        random_state: int = 0,
        report: Callable[[str], None] = lambda words: None,
    ) -> Evaluation:
        """Measure how well images find others of their label; see `lookalike.evaluate` for the measures.

        Each image is searched among the others, and is never its own hit; copies of one image are one. Images
        without a label are neither asked nor searched. Queries whose label no other image has are left out.

        Parameters
        ----------
        k : int or sequence of int, optional
            Where rankings are cut; 1 and 10 by default.
        model : str, optional
            Which of the collection's models; its own by default.
        index : str
            "exact" ranks all images, however many. Any other kind is asked for the largest k, and what is
            beyond is not known: ``mAP@10`` stands in place of ``mAP``.
        recall : float
            What an index is asked for.
        compare : str or sequence of str
            Models, or kinds of index, to measure on the same queries, and compare with this one.
        labels : str or path, optional
            A CSV file with columns ``path`` and ``label``; or the name of a clustering, whose clusters'
            names are labels. By default those of folders and data sets, or where there are none the names
            given to clusters.
        query_split : {"train", "test"}, optional
            The queries are images of this split of the data sets, and none of it is searched, unless
            `gallery_split` is the same.
        gallery_split : {"train", "test"}, optional
            Only images of this split are searched.
        n_queries : int
            How many images to take as queries, at random; all, if they are fewer.
        n_worst : int
            How many of the worst queries to return with their hits.
        random_state : int
            Decides which queries are drawn, and the draws of intervals and tests.
        report : callable
            Told in words what is being done.

        Raises
        ------
        InvalidInputError
            If there are not two images of one label and one of another, a k is larger than the number of
            images to find, there is no such index, the table of labels cannot be used, or `compare` names
            what is measured itself.
        CollectionError
            If no image has a label, none has been embedded with the model, or none is in a split.
        ModelError
            If there is no such model.

        Examples
        --------
        >>> photos = Collection.create(photo_folder)
        >>> report = photos.sync()
        >>> table = photo_folder / "labels.csv"
        >>> lines = ["path,label", "stripes.png,striped", "stripes-brighter.png,striped", "noise.png,noise"]
        >>> _ = table.write_text(os.linesep.join(lines))
        >>> found = photos.evaluate(k=1, labels=table)
        >>> found.scores["P@1"].mean, found.n_queries, found.n_without_relevant, found.n_unlabelled
        (1.0, 2, 1, 1)
        """
        _check_count("n_queries", n_queries)
        if isinstance(n_worst, bool) or not isinstance(n_worst, int | np.integer) or n_worst < 0:
            raise InvalidInputError(f"n_worst is {n_worst!r}; expected a whole number, 0 or more")
        check_recall(recall)
        check_request(index, None)
        base = Contender(self._models.get(self.model if model is None else model), model, index)
        others = [
            replace(base, index=name) if is_kind(name) else Contender(self._models.get(name), name, index)
            for name in ([compare] if isinstance(compare, str) else compare)
        ]
        there = self._places.of_images()
        return evaluate_retrieval(
            self._places,
            there,
            self._indexes,
            read_ground_truth(self._places, there, labels),
            [base, *others],
            Asked(
                list(k) if isinstance(k, Iterable) else k if k is None else [k],
                recall,
                query_split,
                gallery_split,
                n_queries,
                n_worst,
                random_state,
                report,
            ),
        )

    def evaluate_clusterings(
        self,
        names: Sequence[str] | None = None,
        labels: str | os.PathLike[str] | None = None,
        random_state: int = 0,
        report: Callable[[str], None] = lambda words: None,
    ) -> ClusteringEvaluations:
        """Measure clusterings, against labels where there are any.

        Parameters
        ----------
        names : sequence of str, optional
            All that are kept by default; of these, damaged ones are passed over, and told in the answer.
        labels, random_state, report
            See `evaluate`; the silhouette is that of images drawn at random.

        Raises
        ------
        CollectionError
            If there is none of a name.
        StoreError, ModelError
            If one that was named is damaged, or its model is missing.
        """
        there = self._places.of_images()
        has_labels = labels is not None or any(found[0].folder_label is not None for found in there.values())
        truth = read_ground_truth(self._places, there, labels) if has_labels else None

        def measure(name: str) -> ClusteringEvaluation:
            stored = self._clusterings.read(name)
            report(f"measuring the clustering {name}")
            model = self._models.get(stored.model)
            return evaluate_clustering(self._places, there, self._indexes, stored, model, truth, random_state)

        if names is not None:
            return ClusteringEvaluations(tuple(map(measure, names)), {})
        found, damaged = read_each(self.clusterings(), measure)
        return ClusteringEvaluations(tuple(found), damaged)

    def map(
        self,
        method: Method = "tsne",
        name: str | None = None,
        *,
        model: str | None = None,
        perplexity: float | None = None,
        random_state: int = 0,
        report: Report = silent,
    ) -> ImageMap:
        """Make a map, on which images that look alike lie near each other, and keep it under a name.

        Parameters
        ----------
        method : {"tsne", "pca", "umap"}
            See `lookalike.projection.project`.
        name : str, optional
            Under which it is kept; the method's by default. One of that name is replaced.
        model : str, optional
            Which of the collection's models; its own by default.
        perplexity : float, optional
            t-SNE: about how many neighbours each image has; 30 by default, and less for few images.
        random_state : int
            The same images and number give the same map.
        report : callable
            Told in words what is being done, and the share of the whole that is.

        Raises
        ------
        InvalidInputError
            If there is no such method, its library is not installed, a parameter is out of range, or the name
            cannot be one.
        CollectionError
            If the collection is empty, or its images have not been embedded with the model.

        Examples
        --------
        >>> photos = Collection.create(photo_folder, model="pixels-8-grey")
        >>> report = photos.sync()
        >>> found = photos.map("pca")
        >>> found.points.shape, len(found.images), photos.maps()
        ((4, 2), 4, ['pca'])
        """
        name = check_map_name(method if name is None else name)
        chosen, embedded = self._embedded(model)
        found = make_map(name, chosen.name, chosen.metric, embedded, method, perplexity, random_state, report)
        with self._maps.lock():
            self._maps.write(found)
        return describe_map(self._places, found, chosen)

    def maps(self) -> list[str]:
        """Return the names of the maps that are kept."""
        return self._maps.names()

    def read_map(self, name: str) -> ImageMap:
        """Return a map that is kept, as far as its images are still there.

        Raises
        ------
        CollectionError
            If there is none of that name.
        StoreError
            If it is damaged.
        """
        stored = self._maps.read(name)
        return describe_map(self._places, stored, self._models.get(stored.model))

    def place_on_map(self, name: str) -> tuple[ImageMap, int]:
        """Place images that came later on a map, near those that they look like; the others stay.

        Returns
        -------
        map : ImageMap
        n_placed : int
            How many came later.

        Raises
        ------
        CollectionError
            If there is no map of that name, or none of the images that it was made of is left.
        """
        with self._maps.lock():
            stored = self._maps.read(name)
            chosen, embedded = self._embedded(stored.model)
            stored, n_placed = place_later(stored, embedded, chosen.metric)
            if n_placed:
                self._maps.write(stored)
        return describe_map(self._places, stored, chosen), n_placed

    def delete_map(self, name: str) -> None:
        """Delete a map."""
        self._maps.delete(name)

    def info(self) -> Info:
        """Say what the collection holds."""
        return describe(self._places)

    def image_info(self, image: str | os.PathLike[str]) -> ImageInfo:
        """Say what the collection knows of one image.

        Parameters
        ----------
        image : path
            A file of the collection, or an image of a data set such as ``mnist:test/42``. A file that lies
            elsewhere is known by its content.

        Raises
        ------
        QueryError
            If it is not in the collection.
        """
        return describe_image(self._places, os.fspath(image))

    def __len__(self) -> int:
        """Return the number of images."""
        return self._store.images.count()


def _colors(color: str | Sequence[str] | None) -> Sequence[str]:
    if color is None:
        return ()
    if isinstance(color, str):
        return (color,)
    if not isinstance(color, Iterable):
        raise InvalidInputError(
            f"color is {color!r}; expected a CSS colour such as '#c33', or a list of them"
        )
    return color


def _check_count(name: str, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise InvalidInputError(f"{name} is {value!r}; expected a whole number, 1 or more")
