"""The clusterings of a collection, as users have them in hand."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.cluster.algorithms import DEFAULT_ALGORITHM
from lookalike.collection.clusterings.describing import read_clustering
from lookalike.collection.clusterings.editing import Edits, edit_clustering
from lookalike.collection.clusterings.making import (
    ClusteringRequest,
    make_clustering,
    try_distances,
    try_ks,
)
from lookalike.collection.names import KeptNames
from lookalike.collection.resources import Resources
from lookalike.collection.stored.clusterings import StoredClusterings
from lookalike.results.clusterings import Clustering
from lookalike.system.chance import RANDOM_STATE
from lookalike.system.checked_calls import checked
from lookalike.system.progress import CancelToken, ProgressReport
from lookalike.system.watching import watching

if TYPE_CHECKING:
    from lookalike.cluster import Choice, KDistances


@checked
class Clusterings(KeptNames[Clustering]):
    """The clusterings that a collection keeps, by name: `Collection.clusterings`.

    Examples
    --------
    >>> photos = Collection.create(photo_folder, model="pixels-8-grey")
    >>> report = photos.sync()
    >>> found = photos.clusterings.make(k=2)
    >>> photos.clusterings.names(), "kmeans" in photos.clusterings, len(photos.clusterings)
    (['kmeans'], True, 1)
    """

    _usual = DEFAULT_ALGORITHM

    def _stored(self, resources: Resources) -> StoredClusterings:
        return resources.clusterings

    def _read(self, resources: Resources, name: str) -> Clustering:
        return read_clustering(resources, name)

    def usual(self, name: str | None = None, algorithm: str | None = None) -> str:
        """Return the name of the clustering that is meant.

        Parameters
        ----------
        name : str, optional
            The one that was named, if any.
        algorithm : str, optional
            If none was: the one that is called like its algorithm. By default the one called ``kmeans``, or
            else the only one that there is.

        Raises
        ------
        CollectionError
            If there is none of the name, none at all, or several of which none is called so.

        Examples
        --------
        >>> photos = Collection.create(photo_folder, model="pixels-8-grey")
        >>> report = photos.sync()
        >>> found = photos.clusterings.make(k=2, name="by-shade")
        >>> photos.clusterings.usual()
        'by-shade'
        """
        return super().usual(algorithm if name is None else name)

    def make(
        self,
        algorithm: str = DEFAULT_ALGORITHM,
        k: int | None = None,
        *,
        name: str | None = None,
        model: str | None = None,
        eps: float | None = None,
        min_samples: int | None = None,
        min_cluster_size: int | None = None,
        random_state: int = RANDOM_STATE,
        in_batches: bool | None = None,
        fold: bool = False,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> Clustering:
        """Find groups of look-alikes, and keep them under a name.

        Parameters
        ----------
        algorithm : str
            A row of `lookalike.cluster.algorithms`: kmeans, dbscan, ….
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
        fold : bool
            Whether each picture counts once, however many near-duplicates of it were found, see
            `Collection.duplicates`: one stands for all, and the others come into its cluster.
        report, cancel : optional
            Who is told how far it has come, and may stop it; see `Collection.sync`.

        Raises
        ------
        InvalidInputError
            If there is no such algorithm, it does not take a parameter, one is out of range, the name cannot
            be one, or there are no two images that differ.
        CollectionError
            If the collection is empty, its images have not been embedded with the model, the clustering of
            that name was changed by its user, the vectors do not fit into memory, or duplicates are to be
            folded, and were not looked for.

        Examples
        --------
        >>> photos = Collection.create(photo_folder, model="pixels-8-grey")
        >>> report = photos.sync()
        >>> found = photos.clusterings.make(k=2)
        >>> [cluster.size for cluster in found.clusters]
        [3, 1]
        """
        request = ClusteringRequest(
            algorithm=algorithm,
            name=name,
            model=model,
            parameters={
                "k": k,
                "eps": eps,
                "min_samples": min_samples,
                "min_cluster_size": min_cluster_size,
            },
            random_state=random_state,
            in_batches=in_batches,
            fold=fold,
        )
        with watching(report, cancel) as watch:
            return make_clustering(self._resources(), request, watch)

    def try_ks(
        self,
        ks: Iterable[int] | None = None,
        *,
        model: str | None = None,
        random_state: int = RANDOM_STATE,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
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
        report, cancel : optional
            Who is told how far it has come, and may stop it; see `Collection.sync`.

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
        >>> photos.clusterings.try_ks([2, 3]).suggested
        3
        """
        with watching(report, cancel) as watch:
            chosen, embedded = self._resources().some_embedded(model)
            return try_ks(chosen.name, embedded, ks, random_state, watch)

    def try_distances(
        self,
        min_samples: int | None = None,
        *,
        model: str | None = None,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> KDistances:
        """Say what DBSCAN makes of all distances, and suggest one; keep nothing.

        Parameters
        ----------
        min_samples : int, optional
            As for `make`.
        model : str, optional
            Which of the collection's models; its own by default.
        report, cancel : optional
            Who is told how far it has come, and may stop it; see `Collection.sync`.

        Raises
        ------
        InvalidInputError, CollectionError
            As for `make`.

        Examples
        --------
        >>> photos = Collection.create(photo_folder, model="pixels-8-grey")
        >>> report = photos.sync()
        >>> found = photos.clusterings.try_distances(min_samples=2)
        >>> found.at(found.eps).n_clusters
        1
        """
        with watching(report, cancel) as watch:
            chosen, embedded = self._resources().some_embedded(model)
            return try_distances(chosen.name, chosen.metric, embedded, min_samples, watch)

    def edit(
        self,
        name: str,
        *,
        rename: Sequence[tuple[int | str, str]] = (),
        merge: Sequence[Sequence[int | str]] = (),
        move: Sequence[tuple[str | os.PathLike[str], int | str]] = (),
        assign: bool = False,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
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
            Whether to put images that came later into clusters; see `assign`.
        report, cancel : optional
            Who is told how far it has come, and may stop it; see `Collection.sync`.

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
        >>> found = photos.clusterings.make(k=3)
        >>> found, _ = photos.clusterings.edit("kmeans", rename=[(0, "stripes")], merge=[["stripes", 2]])
        >>> [(cluster.title, cluster.size) for cluster in found.clusters]
        [('stripes', 3), ('cluster 1', 1)]
        """
        with watching(report, cancel) as watch:
            return edit_clustering(self._resources(), name, Edits(rename, merge, move, assign), watch)

    def assign(
        self,
        name: str,
        *,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> tuple[Clustering, int]:
        """Put images that came later into the clusters that there are; centres stay where they are.

        Each goes to the nearest centre. In a clustering by density it goes with the nearest image that is in
        a cluster, if that is near enough: for DBSCAN, within `eps`; for HDBSCAN, no farther than some image
        of that cluster is from its own nearest fellow. Else it is noise. For `report` and `cancel` see
        `Collection.sync`.

        Returns
        -------
        clustering : Clustering
        n_assigned : int
            How many images found a cluster.
        """
        return self.edit(name, assign=True, report=report, cancel=cancel)

    def rename(self, name: str, cluster: int | str, to: str) -> Clustering:
        """Give a cluster, known by its number or name, a name; an empty one takes the name back."""
        return self.edit(name, rename=[(cluster, to)])[0]

    def merge(self, name: str, clusters: Sequence[int | str]) -> Clustering:
        """Make several clusters one, which has the number of the first."""
        return self.edit(name, merge=[clusters])[0]

    def move(self, name: str, images: Sequence[str | os.PathLike[str]], cluster: int | str) -> Clustering:
        """Put images of the collection into another cluster, or into ``"noise"``."""
        return self.edit(name, move=[(image, cluster) for image in images])[0]

    def export(
        self,
        name: str,
        to: str | os.PathLike[str],
        form: str,
        *,
        force: bool = False,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> int:
        """Write a clustering for other programs; nothing is overwritten unless it is asked for.

        Parameters
        ----------
        name : str
        to : path
            A file that is not there yet; for folders, one that is not there or empty.
        form : str
            A row of `lookalike.collection.export.forms`: csv, a table with a row for each place
            of each image, json, …; or copy, hardlink, symlink: a folder for each cluster, with the image
            files as copies or links.
        force : bool
            As for `Collection.export`.
        report, cancel : optional
            Who is told how far it has come, and may stop it; see `Collection.sync`.

        Returns
        -------
        int
            How many images.

        Raises
        ------
        CollectionError
            If there is something in the way, a file is gone, or the system refuses; nothing is left behind.
        """
        from lookalike.collection.export.exporting import check_export, export_clustering
        from lookalike.collection.export.forms import get_form

        check_export(Path(to), form, force)
        with watching(report, cancel) as watch:
            resources = self._resources()
            found = read_clustering(resources, name)
            return export_clustering(resources, found, Path(to), get_form(form), force, watch)
