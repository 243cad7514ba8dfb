"""What users have in hand: made, opened, brought up to date with the disk, asked."""

from __future__ import annotations

import contextlib
import os
import shutil
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from lookalike.collection.asking import as_colors, as_filter, complete
from lookalike.collection.browsing import browse, count, facets
from lookalike.collection.checking.checkable import Checkable
from lookalike.collection.closed import Closed, LeftBehind
from lookalike.collection.copyable import Copyable
from lookalike.collection.describing import describe, describe_image
from lookalike.collection.faces import Faces
from lookalike.collection.facets import check_facets
from lookalike.collection.manifest_file import ManifestFile
from lookalike.collection.matchable import Matchable
from lookalike.collection.newcomers import and_compare
from lookalike.collection.opening import NewCollection, add_what_is_asked, choose_home, create, find_near
from lookalike.collection.places import Places
from lookalike.collection.renamed import RENAMED, takes_by_place, takes_timeout
from lookalike.collection.resources import Resources, of_one_state
from lookalike.collection.rooted import Rooted
from lookalike.collection.searchers import Searchers
from lookalike.collection.searching import Run, all_with_vectors, search
from lookalike.collection.silent_labels import label_note
from lookalike.collection.snapshot import Snapshot, Snapshots
from lookalike.collection.statements.naming import read_image
from lookalike.collection.stored.clusterings import StoredClusterings
from lookalike.collection.stored.maps import StoredMaps
from lookalike.collection.sureness import Judges
from lookalike.collection.syncing import SyncRequest, sync
from lookalike.collection.thumbnailed import Thumbnailed
from lookalike.datasets import prepare_dataset
from lookalike.embed import AUTO, Compute, ModelRegistry, check_device
from lookalike.errors import (
    CollectionNotFoundError,
    InvalidInputError,
    LockedError,
    LookalikeError,
    QueryNotFoundError,
)
from lookalike.hints import Hint, Sentence
from lookalike.images.thumbnails import check_thumbnail_side
from lookalike.index.contract import DEFAULT_RECALL
from lookalike.index.kinds import AUTO as AUTO_INDEX
from lookalike.query.checking import check_count, check_seconds
from lookalike.query.conditions import ClusterRef
from lookalike.query.filter import Filter
from lookalike.query.reading import Query, read_queries
from lookalike.query.request import SearchRequest
from lookalike.results.browsing import BrowseResult, Facets
from lookalike.results.hits import show_hits
from lookalike.results.info import ImageInfo, Info
from lookalike.results.search import SearchResult
from lookalike.results.sync import SyncReport
from lookalike.store import Labeling, Store, Turn, Wait, check_wait, find_collection, writer_lock
from lookalike.store.swept import staying_swept
from lookalike.sync import COMMIT_SECONDS, Work, locate
from lookalike.system.checked_calls import checked, shown
from lookalike.system.cores import usable_cores
from lookalike.system.forks import leave_behind
from lookalike.system.limits import PICTURE_SECONDS, THUMBNAIL_SIDE
from lookalike.system.progress import CancelToken, ProgressReport, silent
from lookalike.system.watching import watching
from lookalike.types import Hit, Ids, Metric, Vectors

if TYPE_CHECKING:
    import numpy.typing as npt

    from lookalike.collection.adding import AnyAddition
    from lookalike.collection.fields.fields import FieldsByFile
    from lookalike.results.adding import AddReport, FieldReport, VectorReport
    from lookalike.results.clusterings import Clustering
    from lookalike.results.maps import ImageMap

_SHOWN = 8  # pictures, in a notebook


@checked
class Collection(Faces, Rooted, Thumbnailed, Matchable, Checkable, Copyable):
    """Images on the disk, made searchable. Made by `create`, found again by `open`.

    Attributes
    ----------
    folder : Path
        The ``.lookalike`` folder.
    is_new : bool
        Whether this object has made it, and not found it.

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
        self._searchers = Searchers(folder)
        self._judges = Judges(folder)
        self._clusterings = StoredClusterings(folder)
        self._snapshots = Snapshots(manifest, self._clusterings)
        self._maps = StoredMaps(folder)
        self._models = models
        self.is_new = False
        leave_behind(self, partial(Collection._become, stand_in=LeftBehind(folder)))

    @classmethod
    @takes_by_place(3, "labels", "exclude", "with_root", "check_model")
    @checked
    def create(
        cls,
        folder: str | os.PathLike[str],
        model: str | None = None,
        *,
        labels: Labeling | None = None,
        exclude: Sequence[str] = (),
        with_root: bool = True,
        check_model: bool = True,
        thumbnail_side: int = THUMBNAIL_SIDE,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> Collection:
        """Make a collection in ``folder/.lookalike``. It is empty until the first `sync`.

        Parameters
        ----------
        folder : path
            The folder of images, made if need be; or, without `with_root`, any folder.
        model : str, optional
            The model of the collection, for good: a name, or the path of an ONNX file; lookalike's default of
            today if none is named.
        labels, exclude
            See `add_root`.
        with_root : bool
            Whether the folder itself is the first root; others are added by `add_root`.
        check_model : bool
            Whether to load the model, and fetch it if need be, before anything is written.
        thumbnail_side : int
            Longer side of the thumbnails, 64 to 1024 pixels; see `set_thumbnail_side`.
        report, cancel : optional
            Who is told how far it has come, and may stop it; see `Collection.sync`.

        Raises
        ------
        CollectionError
            If there is a collection already, or the folder cannot be made, or be written to.
        ModelError
            If there is no such model, or it cannot be loaded; no collection has been made.
        InvalidInputError
            If thumbnails cannot be of this size.

        Examples
        --------
        >>> len(Collection.create(photo_folder))
        0
        """
        home = Path(os.path.abspath(folder))
        asked = NewCollection(model, labels, exclude, with_root, check_model, thumbnail_side)
        with watching(report, cancel) as watch:
            collection = cls(*create(home, asked, watch))
        collection.is_new = True
        return collection

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
        self._become(Closed(self.folder))

    def _become(self, stand_in: Closed) -> None:
        held = [name for name in vars(self) if name.startswith("_")]
        vars(self).update(dict.fromkeys(held, stand_in))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the folder alone: where it is unpickled, the collection is opened, as it is then."""
        return _reopen, (self._manifest.folder,)

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

    @classmethod
    def open_or_create(
        cls,
        paths: Sequence[str | os.PathLike[str]] = (),
        at: str | os.PathLike[str] | None = None,
        *,
        datasets: Sequence[str] = (),
        model: str | None = None,
        labels: Labeling | None = None,
        exclude: Sequence[str] = (),
        forget_excluded: bool = False,
        thumbnail_side: int | None = None,
        instead: str | os.PathLike[str] | None = None,
        quiet: bool = False,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> Collection:
        """Open the collection that some folders are in, or make one, with all that was named in it.

        Nothing is read before the next `sync`, and if anything is wrong, nothing is left behind.

        Parameters
        ----------
        paths : sequence of path
            Folders, files and globs. They lie in the collection that is around them, or else in a new one in
            the folder that holds them all; folders that are in no root yet are added. Without any it is the
            collection around the working directory, or else a new one there.
        at : path, optional
            The folder of the collection, made if need be.
        datasets : sequence of str
            Data sets to be added as well; see `add_dataset`. Alone, and with no collection named, the first
            one's name is the name of the collection's folder, in the working directory.
        model : str, optional
            Of a new collection; one that is there keeps its own.
        labels, exclude
            See `add_root`; for all roots that the paths are about. An absolute path is excluded from the one
            that it lies in. What is to be excluded joins what has been so far.
        forget_excluded : bool
            Whether what has been excluded from these roots so far is not any more.
        thumbnail_side : int, optional
            See `set_thumbnail_side`; 256 in a new collection.
        instead : path, optional
            Where to make a new one, if not at its place: for a dry run, which is to leave nothing behind. The
            model is not loaded, and no data set downloaded.
        quiet : bool
            Whether to show no bar, as with ``report=lookalike.silent``.
        report, cancel : optional
            Who is told how far it has come, and may stop it; see `Collection.sync`.

        Raises
        ------
        CollectionError
            If a path does not exist; if there is neither a path nor a collection, in the root of the system
            or the user's home; if the paths lie in several collections, or in none and have no root in
            common; if it cannot be made, or roots would overlap.
        DatasetError
            If there is no data set of a name, or it has to be fetched and cannot be.
        ModelError
            If there is no such model, or it cannot be loaded.

        Examples
        --------
        >>> photos = Collection.open_or_create([photo_folder])
        >>> photos.is_new, Collection.open_or_create([photo_folder]).is_new
        (True, False)
        """
        if isinstance(paths, str | os.PathLike):
            raise InvalidInputError(f"paths is {shown(paths)}; expected a list of paths", field="paths")
        if thumbnail_side is not None:
            check_thumbnail_side(thumbnail_side)
        home = choose_home(paths, at, datasets)
        with watching(silent if quiet else report, cancel) as watch:
            for name in datasets:
                prepare_dataset(name, download=instead is None, **watch.told)
            if home.is_there:
                collection = cls.open(home.folder, above=False)
            else:
                folder, check_model = (home.folder, True) if instead is None else (instead, False)
                collection = cls.create(folder, model, with_root=False, check_model=check_model, **watch.told)
        try:
            add_what_is_asked(collection._manifest, home.targets, datasets, labels, exclude, forget_excluded)
            if thumbnail_side is not None:
                collection.set_thumbnail_side(thumbnail_side)
        except LookalikeError:
            if collection.is_new:
                collection.remove_if_empty()
            raise
        return collection

    @classmethod
    def open_near(cls, queries: Sequence[str], at: str | os.PathLike[str] | None = None) -> Collection:
        """Open the collection named, else the one around the working directory, else around a query file.

        The file need not exist: the collection then says so. For a query such as ``mnist:test/42`` it is also
        looked for in the folder ``mnist``.

        Raises
        ------
        QueryError
            If there is none, and neither is a file that a query names, or that is a folder.
        CollectionError
            If there is none, and nothing else to complain of.

        Examples
        --------
        >>> made = Collection.create(photo_folder)
        >>> Collection.open_near([str(photo_folder / "stripes.png")]).folder == made.folder
        True
        """
        if at is not None:
            return cls.open(at, above=False)
        found = None if cls.find() else find_near(queries)
        return cls.open() if found is None else cls.open(found, above=False)

    @staticmethod
    def find(start: str | os.PathLike[str] = ".", above: bool = True) -> Path | None:
        """Return the ``.lookalike`` folder that `open` would open, or None if there is none."""
        return find_collection(Path(start), above)

    def remove_if_empty(self) -> None:
        """Remove the ``.lookalike`` folder if the collection holds no images, and nobody is writing to it.

        For whoever has made it (`is_new`) for a request that turns out not to be met.
        """
        with contextlib.suppress(LockedError), writer_lock(self.folder):
            if not self._store.images.count():
                shutil.rmtree(self.folder, ignore_errors=True)

    def _resources(self) -> Resources:
        """Return what every read needs, with the roots as they are now: once a request."""
        places = Places(self._snapshots.now(), self._clusterings)
        shared = self._maps, self._searchers, self._judges, self._models
        return Resources(places, self._store, self._snapshots, *shared)

    def snapshot(self) -> Snapshot:
        """Return the collection as it is now, unchanging: the same one until anything is committed.

        Whatever process commits, it is noticed at the next call. Who holds a snapshot keeps it.

        Examples
        --------
        >>> photos = Collection.create(photo_folder)
        >>> empty = photos.snapshot()
        >>> photos.snapshot() is empty
        True
        >>> report = photos.sync()
        >>> len(empty), len(photos.snapshot())
        (0, 4)
        """
        return self._snapshots.now()

    @property
    def roots(self) -> tuple[Path, ...]:
        """The folders of images, absolute."""
        return tuple(place for _, place in self._resources().places.of_roots())

    @property
    def datasets(self) -> tuple[str, ...]:
        """The names of the data sets that were added."""
        return self._resources().places.datasets

    def holds(self, path: str | os.PathLike[str]) -> bool:
        """Tell whether a file or folder lies in one of the roots; it need not exist."""
        return locate(self.roots, Path(os.path.abspath(path))) is not None

    @property
    def model(self) -> str:
        """The name of the default model."""
        return self._manifest.manifest.model

    def add_root(
        self,
        folder: str | os.PathLike[str],
        labels: Labeling | None = None,
        exclude: Sequence[str] | None = None,
    ) -> None:
        """Add a folder of images, or change how one is read; the next `sync` reads it, and remembers it.

        Parameters
        ----------
        folder : path
        labels : str or path, optional
            Where labels come from: ``"folders"``, the name of an image's folder; ``"folders:1"``, that of the
            one above it; ``"path"``, all of them; ``"none"``; a CSV file with columns ``path`` and ``label``,
            which is read again at each `sync`; or a glob of paths from the root with one ``{label}`` in it,
            such as ``"{label}_*.jpg"``. What is said here is used, whatever images look like. Where nothing
            was ever said, it is folders, if these agree with what images look like better than chance. A
            change needs no image to be embedded again.
        exclude : sequence of str, optional
            Globs of names and relative paths to pass over. None, for a new root.

        Raises
        ------
        CollectionError
            If there is no such folder, or it lies inside a root, or around one.
        InvalidInputError
            If labels are none of these, or come from a table that cannot be used.
        """
        self._manifest.add_folder(folder, labels, exclude)

    @property
    def label_note(self) -> Sentence | None:
        """A line that says so where folders do not say what images show, with what to do; else None.

        It is measured by `sync`. Then nothing is named, coloured or measured by them, unless `add_root` or an
        evaluation is told to use them.
        """
        return label_note(self._manifest.manifest)

    def add_dataset(
        self, name: str, *, report: ProgressReport | None = None, cancel: CancelToken | None = None
    ) -> tuple[Path, ...]:
        """Add a data set that lookalike knows by name; the next `sync` reads it, and remembers it.

        Its images have paths such as ``mnist:test/42``, which are also queries. A data set of ordinary files
        is added as the folder that it is, which is returned. For `report` and `cancel` see `sync`.

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
        with watching(report, cancel) as watch:
            return self._manifest.add_dataset(name, watch)

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
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
        say: Callable[[str], None] = lambda words: None,
        commit_seconds: float = COMMIT_SECONDS,
        picture_seconds: float = PICTURE_SECONDS,
        find_duplicates: bool = True,
        wait: Wait = "threads",
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
        report : callable, optional
            Told how far it has come, in the thread that works. By default a bar shows it in a notebook, and
            at an interactive prompt; `lookalike.silent` tells nobody.
        cancel : CancelToken, optional
            Stops it, from any thread, by CancelledError; what was committed is kept, and the next sync goes
            on from there.
        say : callable
            Told in words what else takes its time: bringing up to date what an earlier version has read.
        commit_seconds : float
            How much work a kill may lose.
        picture_seconds : float
            An image that takes longer to decode is stopped, and is one of the failures; it is tried again by
            a sync that gives more.
        find_duplicates : bool
            Whether images that came are compared with all others, where duplicates were looked for in this
            collection before, and at most 500 came: `SyncReport.alike`. It takes some seconds.
        wait : float, None or "threads"
            How long to wait for another writer: so many seconds, 0 for not at all; None for as long as it
            takes. By default, for as long as it takes where that is another thread of this process, and else
            not at all. `report` is told for whom, and `cancel` stops the waiting, too.

        Returns
        -------
        SyncReport

        Raises
        ------
        MissingImagesError
            If a root is missing or lost more than half of its images, and nothing has been changed; or if
            more than half of the files that are to be read cannot be, and no image has been taken out.
        LockedError
            If another is writing to the collection, and `wait` is over.
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
            check_count("jobs", jobs)
        check_device(device)
        seconds = check_seconds("picture_seconds", picture_seconds)
        compute = Compute(threads=1, device=device)
        request = SyncRequest(paths, datasets, model, dry_run, prune, reread, compute, check_wait(wait))
        with watching(report, cancel) as watch:
            work = Work(jobs or usable_cores(), watch, say, commit_seconds, seconds)
            do = partial(sync, manifest_file=self._manifest, request=request, work=work)
            return and_compare(self._resources, do, watch, find_duplicates and not dry_run)

    @takes_timeout
    def add(
        self,
        additions: Iterable[AnyAddition],
        *,
        embed: bool = True,
        jobs: int | None = None,
        device: str = AUTO,
        picture_seconds: float = PICTURE_SECONDS,
        wait: Wait = "threads",
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> AddReport:
        """Add images under keys of your own, or replace those that are there; their bytes are kept.

        They are images like all others, under the stored path ``added:KEY``, and no `sync` takes them away:
        `remove` does. What is there already under its key, with the same bytes, is left as it is. An image
        that cannot be read is a row of the report, and costs the others nothing; one whose key was there
        stays as it was. Whoever is killed leaves each image whole, as it was or as it is to be.

        Parameters
        ----------
        additions : iterable of Addition, (content, key) or (content, key, fields)
            The content is the bytes of an image file, its path, an open file, `Pixels`, (height, width, 3)
            uint8, or an image of Pillow's. A key is a text of 1 to 512 characters that can be printed, and is
            there once. What fields say is said beside what is known already; see `Fields.set`.
        embed : bool
            Whether to embed them with the collection's own model. The next `sync` does so otherwise, and
            embeds with the other models.
        jobs : int, optional
            How many images to work on side by side; the number of cores by default.
        device : {"auto", "cpu", "cuda", "openvino", "coreml"}
            Where the network runs; see `sync`.
        picture_seconds : float
            An image that takes longer to decode is stopped, and is one of the failures.
        wait : float, None or "threads"
            How long to wait for another writer; see `sync`.
        report, cancel : optional
            Told of the progress, and what stops it; what has been added stays. See `sync`.

        Returns
        -------
        AddReport

        Raises
        ------
        InvalidInputError
            If it is no list of images.
        LockedError
            If another is writing to the collection, and `wait` is over.
        CollectionError
            If one of its folders is called ``added``.
        ModelError
            If the model is needed, and cannot be loaded.
        StoreError
            If a table or a file cannot be written; what was committed is kept.

        Examples
        --------
        >>> photos = Collection.create(photo_folder, model="pixels-8-grey")
        >>> content = (photo_folder / "stripes.png").read_bytes()
        >>> photos.add([(content, "first", {"price": 3}), (b"no picture", "second")]).failures[0].key
        'second'
        >>> photos.add([(content, "first", {"price": 3})]).unchanged
        1
        >>> photos.search("added:first", include_self=True).hits[0].keys
        ('first',)
        """
        from lookalike.collection.adding import AddRequest, add

        if jobs is not None:
            check_count("jobs", jobs)
        check_device(device)
        seconds = check_seconds("picture_seconds", picture_seconds)
        request = AddRequest(embed, Compute(threads=1, device=device), wait)
        with watching(report, cancel) as watch:
            work = Work(jobs or usable_cores(), watch, picture_seconds=seconds)
            return add(self._resources(), self._manifest, additions, request, work)

    @takes_timeout
    def remove(
        self,
        keys: str | Iterable[str],
        *,
        wait: Wait = "threads",
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> int:
        """Remove images that were added, with their fields; return how many there were.

        Parameters
        ----------
        keys : str or iterable of str
            Those under which nothing was added are passed over.
        wait : float, None or "threads"
            How long to wait for another writer; see `sync`.
        report, cancel : optional
            Told for whom it waits; and what stops that.

        Raises
        ------
        InvalidInputError
            If one is no key; nothing has been removed.
        LockedError
            If another is writing to the collection, and `wait` is over.
        """
        from lookalike.collection.adding import remove

        with watching(report, cancel) as watch:
            turn = Turn(wait, "removing images", watch)
            return remove(self._resources(), self._manifest, keys, turn)

    @takes_timeout
    def add_vectors(
        self,
        model: str,
        images: Sequence[str | int] | Ids,
        vectors: npt.ArrayLike,
        *,
        metric: Metric = "cosine",
        wait: Wait = "threads",
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> VectorReport:
        """Bring vectors along, of a model that lookalike has no network of.

        They are searched, clustered, drawn on maps and measured as those of other models, by this name. As
        nothing here embeds with it, `sync` passes it over, and a search starts from an image that has a
        vector, or from a `Vector`.

        Parameters
        ----------
        model : str
            A name of small letters, digits, ``-``, ``_`` and ``.``; the first vectors under it make the
            model.
        images : sequence of id, stored path or path; or (n,) int64
            What they are of: ids as numbers or 16 hexadecimal digits, ``added:KEY``, other stored paths, or
            paths of files. Images must be in the collection.
        vectors : (n, d) numbers
            Row i is that of ``images[i]``; its length is of no account for cosine. What is there already is
            left as it is.
        metric : {"cosine", "euclidean"}
            How they are compared.
        wait : float, None or "threads"
            How long to wait for another writer; see `sync`.
        report, cancel : optional
            Told of the progress, and what stops it; what has been written stays. See `sync`.

        Returns
        -------
        VectorReport
            With the images that are not there, and vectors that are not finite, or have no direction.

        Raises
        ------
        InvalidInputError
            If the name is none, or the vectors are not numbers of this shape and dimension.
        ModelError
            If there is a model of this name that lookalike embeds with, or one with another metric.
        LockedError
            If another is writing to the collection, and `wait` is over.

        Examples
        --------
        >>> photos = Collection.create(photo_folder, model="pixels-8-grey")
        >>> report = photos.sync()
        >>> images = [photo_folder / name for name in ("stripes.png", "stripes-brighter.png")]
        >>> photos.add_vectors("ours", images, [[1, 0, 0], [1, 1, 0]]).added
        2
        >>> photos.search(images[0], model="ours").hits[0].score
        0.70710...
        """
        from lookalike.collection.own_vectors import add_vectors

        with (
            watching(report, cancel) as watch,
            writer_lock(self.folder, Turn(wait, "adding vectors", watch)),
            staying_swept(self.folder),
        ):
            self._manifest.bring_up_to_date(self._store)
            return add_vectors(self._resources(), model, images, vectors, metric, watch)

    def set_fields(self, fields: FieldsByFile, *, wait: Wait = "threads") -> FieldReport:
        """Say something of files in columns of your own; see `Fields.set`.

        Examples
        --------
        >>> photos = Collection.create(photo_folder, model="pixels-8-grey")
        >>> report = photos.sync()
        >>> photos.set_fields({photo_folder / "stripes.png": {"sold": True}}).kinds
        {'sold': 'boolean'}
        """
        return self.fields.set(fields, wait=wait)

    def search(
        self,
        *queries: Query | Iterable[Query] | SearchRequest,
        k: int = 10,
        without: Query | Iterable[Query] = (),
        model: str | None = None,
        split: str | None = None,
        color: str | Sequence[str] | None = None,
        where: Filter | None = None,
        same_cluster: str | ClusterRef | None = None,
        include_self: bool = False,
        fold: bool = False,
        min_probability: float | None = None,
        min_score: float | None = None,
        same_kind: bool = False,
        verify: bool = False,
        allow_private: bool = False,
        device: str = AUTO,
        index: str = AUTO_INDEX,
        recall: float = DEFAULT_RECALL,
        mode: str | None = None,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> SearchResult:
        """Find the images most like the queries, or those of a colour.

        Parameters
        ----------
        *queries : path, URL, words, Hit, id, picture in memory, vector or Term; or lists of them
            Several make one query, their mean. A text is a file or folder that is there, else a URL, else an
            image of a data set, else words, which need a model that knows text; a whole number is the id of
            an image of the collection. A picture is an image of Pillow's, the bytes of a file, an open file,
            or an array: (height, width), or (height, width, 1 to 4) with alpha as the last of 2 or 4, of
            uint8, of truth values, or of floats from 0 to 1. Floats in one dimension are a vector, int64
            numbers are ids. `ImageFile`, `Url`, `Words`, `ImageRef`, `Example`, `Pixels` and `Vector` say
            which it is, and with what weight. None, where a colour is given: the images that have most of the
            colour come first, and their score is how much of it they have, 0 to 1. Or one `SearchRequest`,
            which has all options but `allow_private`, `device`, `report` and `cancel`.
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
        same_cluster : str or ClusterRef, optional
            Search only in the query's cluster of this clustering: the one that it is in, where it is an image
            of the collection and no noise; else the one whose centre is nearest. Or in a cluster by its
            number. The model is the clustering's.
        include_self : bool
            Whether an image of the collection that is itself a query may be a hit.
        fold : bool
            Whether near-duplicates of a hit are folded into it, so that k hits are k pictures: images that
            were found (`Collection.duplicates`) to be the same, or edited, with a probability of 0.9 or more.
            `Hit.folded` is how many.
        min_probability : float, optional
            How likely a hit is to be of the query's kind, at least: 0.5 is more likely than not. See
            `SearchResult.probabilities`.
        min_score : float, optional
            The least score of a hit, for models that are compared by cosine, and colours.
        same_kind : bool
            Whether to seek what is of the same kind, more than what looks the same: each image is drawn to
            its ten nearest, and so is the query. Scores are cosines of what that makes. Finds more of a
            class; the one picture that is the query's twin, less surely. Who the nearest are is found when it
            is first asked for, and kept; for models that compare by cosine.
        verify : bool
            Whether the 100 nearest are laid on the query, which must be one picture: those that show the same
            thing, edited or photographed again, come first, whatever their score.
        allow_private : bool
            Whether URLs may name addresses of the local network.
        device : {"auto", "cpu", "cuda", "openvino", "coreml"}
            Where the network runs; see `sync`.
        index : str
            Which kind of index answers: "exact", "kmeans-tree", … (see `lookalike.index`); by default exact
            search, or the k-means tree from half a gigabyte of vectors on. It is made when it is first asked
            for, and again when more than a tenth of the images has come or gone; fewer are added and removed.
        recall : float
            The share of the true neighbours that may be expected, above 0; 1 is proved. Words, vectors, and
            queries with `without`, are always answered as for 1.
        mode : {"leaf", "bbf", "exact"}, optional
            How to ask a KD-tree, in place of what the recall takes; see `lookalike.index`.
        report, cancel : optional
            Who is told how far it has come, and may stop it; see `Collection.sync`.

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
        resources = self._resources()
        datasets = resources.places.datasets
        options = SearchRequest(
            unlike=read_queries("without", without, datasets),
            colors=as_colors(color),
            where=as_filter(where).with_split(split),
            same_cluster=ClusterRef(same_cluster) if isinstance(same_cluster, str) else same_cluster,
            model=model,
            index=index,
            recall=recall,
            mode=mode,
            k=k,
            include_self=bool(include_self),
            fold=bool(fold),
            min_probability=min_probability,
            min_score=min_score,
            same_kind=bool(same_kind),
            verify=bool(verify),
        )
        request = complete(options, queries, datasets)
        with watching(report, cancel) as watch:
            run = Run(device, allow_private, watch)
            return of_one_state(self._resources, lambda now: search(now, request, run), resources)

    def export(
        self,
        result: SearchResult | BrowseResult | Clustering | ImageMap | Filter | None,
        to: str | os.PathLike[str],
        *,
        form: str | None = None,
        by: str | None = None,
        model: str | None = None,
        vectors: bool | None = None,
        force: bool = False,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> int:
        """Write a result for other programs: a table, vectors, annotations, or folders of images.

        Parameters
        ----------
        result : SearchResult, BrowseResult, Clustering, ImageMap, Filter or None
            A filter stands for the images that pass it, and None for all.
        to : path
            A file that is not there yet; for folders of images, one that is not there, or is empty.
        form : str, optional
            By default as its ending says: ``.csv``, ``.json``, ``.jsonl``, ``.parquet``, ``.npy``, which has
            a table of its rows beside it, ``.coco.json``; without an ending a folder, with a copy of each
            image in a folder of its label. By name also "hardlink" and "symlink", in place of "copy".
            Tables have a row for each place of each image.
        by : {"label", "split", "cluster"}, optional
            What the folders, and COCO's categories, are; of a clustering its clusters, by default. Below
            those of splits there are folders of labels.
        model : str, optional
            Whose vectors; by default those that the result was made with.
        vectors : bool, optional
            Whether to write them into the table; by default into ``.parquet`` and ``.npy``.
        force : bool
            Whether to write over a file that is there, or a folder that holds nothing but an export.
        report, cancel : optional
            Who is told how far it has come, and may stop it; see `sync`.

        Returns
        -------
        int
            How many images.

        Raises
        ------
        InvalidInputError
            If the form is not known, or cannot have what is asked for.
        CollectionError
            If there is something in the way, a file is gone, or the system refuses; nothing is left behind.

        Examples
        --------
        >>> photos = Collection.create(photo_folder)
        >>> report = photos.sync()
        >>> photos.export(photos.search(photo_folder / "stripes.png", k=2), photo_folder / "alike.csv")
        2
        """
        from lookalike.collection.export.exporting import ExportRequest, export_result

        asked = ExportRequest(form, by, model, vectors, force)
        with watching(report, cancel) as watch:
            return export_result(self._resources(), result, Path(to), asked, watch)

    def __repr__(self) -> str:
        """Return the class and the folder."""
        return f"<Collection in {self.folder.parent}>"

    def _repr_html_(self) -> str | None:
        """Show in a notebook what it holds, with some pictures; nothing of what cannot be read."""
        try:
            some = self.browse(sort="random", k=_SHOWN)
            pictures = show_hits(some.hits, some.lookup, lambda hit: hit.label or "")
            return self.info()._repr_html_() + pictures
        except LookalikeError:
            return None

    def browse(
        self,
        request: SearchRequest | None = None,
        *,
        where: Filter | None = None,
        sort: str = "path",
        descending: bool = False,
        random_state: int = 0,
        k: int | None = None,
        offset: int = 0,
    ) -> BrowseResult:
        """List images in an order, without a query.

        Parameters
        ----------
        request : SearchRequest, optional
            One without a query, which has all options but `offset`.
        where : Filter, optional
            Only the images that pass; all by default.
        sort : str
            By their path; the date when they were taken; their label; size, the shorter side; sharpness;
            color, by the hue of what there is most of, greys last; rating; ``field:NAME``, one of your own
            columns; random; or central: the nearest first to the center of their cluster, where the filter
            asks for clusters of one clustering, else to the mean of all images of the collection's model.
            Ties come by path, and last those of which it is not known.
        descending : bool
            Whether to list them the other way round, but for those of which it is not known.
        random_state : int
            What the random order comes from; the same images come in the same one.
        k : int, optional
            How many to list; all by default. They are described when they are looked at.
        offset : int
            How many to leave out before.

        Returns
        -------
        BrowseResult

        Raises
        ------
        InvalidInputError
            If nothing can be sorted by that, or a number is out of range.
        QueryError
            If there is nothing of a name that the filter gives, or no such field.
        CollectionError
            For central, if no image is embedded.

        Examples
        --------
        >>> photos = Collection.create(photo_folder)
        >>> report = photos.sync()
        >>> listed = photos.browse(sort="size", descending=True, k=3)
        >>> len(listed.hits), listed.total
        (3, 4)
        """
        check_count("offset", offset, least=0)
        if request is not None and not isinstance(request, SearchRequest):
            raise InvalidInputError(
                f"request is of the type {type(request).__name__}; expected a lookalike.SearchRequest",
                field="request",
            )
        asked = SearchRequest(
            where=as_filter(where),
            sort=sort,
            descending=descending,
            random_state=random_state,
            k=k,
        )
        if request is not None and asked != SearchRequest(sort="path", k=None):
            raise InvalidInputError(
                "a SearchRequest says all that is listed; expected no other options beside it"
            )
        return of_one_state(self._resources, lambda now: browse(now, request or asked, offset))

    def count(self, where: Filter | None = None) -> int:
        """Return how many images pass a filter.

        Examples
        --------
        >>> photos = Collection.create(photo_folder)
        >>> report = photos.sync()
        >>> photos.count(), photos.count(Filter(min_size=10_000))
        (4, 0)
        """
        return of_one_state(self._resources, lambda now: count(now.places, as_filter(where)))

    def facets(self, where: Filter | None = None, names: str | Sequence[str] | None = None) -> Facets:
        """Count images by what they are: labels, folders, formats, dates, … all at once.

        Parameters
        ----------
        where : Filter, optional
            Only the images that pass; all by default.
        names : str or sequence of str, optional
            Which: labels, folders, splits, formats, shapes, cameras, lenses, keywords, ratings, colors,
            sizes, sharpness, shows (what the network takes them for), dates, sets, tags, clusters (by
            clustering, or one as ``cluster:NAME``) and fields (your own columns, or one as ``field:NAME``).
            All by default.

        Returns
        -------
        Facets
            Values, and images of each. Folders count what lies at any depth below them.

        Raises
        ------
        InvalidInputError
            If there is no such facet.
        QueryError
            If there is nothing of a name that the filter gives, or no such field.

        Examples
        --------
        >>> photos = Collection.create(photo_folder)
        >>> report = photos.sync()
        >>> photos.facets(names=["formats"])["formats"].counts
        {'PNG': 4}
        """
        return of_one_state(
            self._resources, lambda now: facets(now.places, as_filter(where), check_facets(names))
        )

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
        resources = self._resources()
        return all_with_vectors(resources, resources.model(model))

    def info(self) -> Info:
        """Say what the collection holds."""
        return describe(self._resources().places)

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
        return describe_image(self._resources().places, os.fspath(image))

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._snapshots.now())

    def __iter__(self) -> Iterator[Hit]:
        """Iterate over the images by path, as they are now.

        Examples
        --------
        >>> photos = Collection.create(photo_folder)
        >>> report = photos.sync()
        >>> [os.path.basename(image.path) for image in photos][:2]
        ['circles.png', 'noise.png']
        """
        return iter(self.browse())

    def __contains__(self, image: object) -> bool:
        """Tell whether it holds an image: a hit, an id, a path, or a name such as ``mnist:test/42``."""
        try:
            places = self._resources().places
            return bool(places.of_images({read_image(places, image)}))
        except QueryNotFoundError:
            return False

    if not TYPE_CHECKING:  # there, only what is here today is

        def __getattr__(self, name: str) -> Any:
            """Return what an old name stands for now."""
            if name not in RENAMED:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            new = RENAMED[name]
            message = f"Collection.{name} is Collection.{new} now"
            warnings.warn(message, DeprecationWarning, stacklevel=2)
            return attrgetter(new)(self)


def _reopen(folder: Path) -> Collection:
    return Collection.open(folder, above=False)
