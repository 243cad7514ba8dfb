"""The models of a collection, as users have them in hand."""

from __future__ import annotations

import os
from collections.abc import Callable

from lookalike.collection.manifest_file import ManifestFile
from lookalike.collection.models.reducing import reduce_model
from lookalike.collection.models.training import train_model
from lookalike.collection.names import Names
from lookalike.collection.resources import Opener
from lookalike.embed import AUTO, Model, base_name
from lookalike.errors import CollectionConflictError, InvalidInputError
from lookalike.hints import Hint
from lookalike.pca import PCA
from lookalike.results.models import TrainedModel
from lookalike.results.sync import SyncReport
from lookalike.store import Turn, Wait, writer_lock
from lookalike.store.swept import staying_swept
from lookalike.system.checked_calls import checked
from lookalike.system.progress import CancelToken, ProgressReport
from lookalike.system.watching import watching
from lookalike.train import AutoencoderSettings, FinetuneSettings, Running, Trained


@checked
class Models(Names):
    """The models that a collection has vectors of, by name: `Collection.models`.

    Parameters
    ----------
    resources : callable
        Gives the collection as it is now.
    sync : callable
        Embeds its images: `Collection.sync`.
    manifest : ManifestFile
        Says which model is the default one.

    Examples
    --------
    >>> photos = Collection.create(photo_folder, model="pixels-8-grey")
    >>> report = photos.sync()
    >>> photos.models.names(), photos.models.default, photos.models.get().dimension
    (['pixels-8-grey'], 'pixels-8-grey', 64)
    """

    def __init__(self, resources: Opener, sync: Callable[..., SyncReport], manifest: ManifestFile) -> None:
        self._resources = resources
        self._sync = sync
        self._manifest = manifest

    def names(self) -> list[str]:
        """Return the names of the models that `Collection.sync` embeds with, the default one first."""
        return self._resources().model_names()

    @property
    def default(self) -> str:
        """The name of the one that is meant where none is named."""
        return self._resources().places.manifest.model

    def make_default(
        self,
        name: str,
        *,
        wait: Wait = "threads",
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> str:
        """Make one of the models that the images are embedded with the one that is meant where none is named.

        Vectors, clusterings and maps of the others stay as they are.

        Parameters
        ----------
        name : str
            A name, or the path of an ONNX file.
        wait : float, None or "threads"
            How long to wait for another writer; see `Collection.sync`.
        report, cancel : optional
            Told for whom it waits; and what stops that.

        Returns
        -------
        str
            The model's name.

        Raises
        ------
        ModelError
            If there is none of that name.
        CollectionError
            If no image is embedded with it; nothing has been changed.

        Examples
        --------
        >>> photos = Collection.create(photo_folder, model="pixels-8-grey")
        >>> report = photos.sync()
        >>> small = photos.models.reduce(2)
        >>> photos.models.make_default(small), photos.model
        ('pixels-8-grey+pca2', 'pixels-8-grey+pca2')
        """
        resources = self._resources()
        model = resources.model(name).name
        if model not in resources.model_names():
            raise CollectionConflictError(
                f"no image of the collection is embedded with {model} yet",
                hint=Hint("sync_model", model=model),
            )
        with (
            watching(report, cancel) as watch,
            writer_lock(resources.store.folder, Turn(wait, "choosing a model", watch)),
        ):
            self._manifest.make_default(model)
        return model

    def get(self, name: str | None = None) -> Model:
        """Return what is known of a model: its dimension, its metric, whether it knows text.

        Parameters
        ----------
        name : str, optional
            A name, or the path of an ONNX file; the default one if none is given.

        Raises
        ------
        ModelError
            If there is none of that name.
        """
        return self._resources().model(name)

    def reduce(
        self,
        n_components: int | float,
        model: str | None = None,
        whiten: bool = False,
        *,
        wait: Wait = "threads",
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> str:
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
        wait : float, None or "threads"
            How long to wait for another writer; see `Collection.sync`.
        report, cancel : optional
            Who is told how far it has come, and may stop it; see `Collection.sync`.

        Returns
        -------
        str
            The new model's name, such as ``lite0-deep-int8+pca128``. Fitting again makes a new name.

        Raises
        ------
        InvalidInputError
            If there are too few images for so many dimensions.
        CollectionError
            If no image has a vector of the model.

        Examples
        --------
        >>> photos = Collection.create(photo_folder, model="pixels-8-grey")
        >>> report = photos.sync()
        >>> photos.models.reduce(2)
        'pixels-8-grey+pca2'
        >>> photos.models.pca("pixels-8-grey+pca2").n_components_
        2
        """
        resources = self._resources()
        base, components = resources.model(model), PCA(n_components, whiten)
        with (
            watching(report, cancel) as watch,
            writer_lock(resources.store.folder, Turn(wait, "reducing a model", watch)),
            staying_swept(resources.store.folder),
        ):
            return reduce_model(resources, components, base, model, watch)

    def pca(self, model: str) -> PCA:
        """Return the components of a model that `reduce` made.

        Raises
        ------
        ModelError
            If there is no such model.
        InvalidInputError
            If it is not reduced.
        """
        models = self._resources().models
        if base_name(models.get(model).name) is None:
            raise InvalidInputError(f"{model} is not reduced by PCA; expected a model such as {model}+pca128")
        return models.pca(model)

    def train(
        self,
        settings: AutoencoderSettings | FinetuneSettings,
        labels: str | os.PathLike[str] | None = None,
        running: Running | None = None,
        *,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
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
            The device and threads.
        report, cancel : optional
            Who is told how far it has come, and may stop it; see `Collection.sync`.

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
        running = Running() if running is None else running
        with watching(report, cancel) as watch:
            return train_model(self._resources(), settings, labels, running, watch)

    def train_and_embed(
        self,
        settings: AutoencoderSettings | FinetuneSettings,
        labels: str | os.PathLike[str] | None = None,
        running: Running | None = None,
        *,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> TrainedModel:
        """Train a network, and embed the images of the collection with it, so that `search` can take it.

        Parameters
        ----------
        settings, labels, running
            See `train`. The images are embedded with as many threads, on the processor where the training is
            kept to that, else where `Collection.sync` would by default.
        report, cancel : optional
            Who is told how far it has come, and may stop it; see `Collection.sync`.

        Returns
        -------
        TrainedModel

        Raises
        ------
        ModelError, CollectionError, InvalidInputError
            See `train` and `Collection.sync`.
        """
        running = Running() if running is None else running
        registry = self._resources().models
        with watching(report, cancel) as watch:
            trained = self.train(settings, labels, running, **watch.told)
            device = "cpu" if running.device == "cpu" else AUTO
            # Hours of work are not to end in "another is writing".
            synced = self._sync(
                model=trained.card.used, jobs=running.jobs, device=device, wait=None, **watch.told
            )
        return TrainedModel(trained, synced, registry.folder / trained.card_name)
