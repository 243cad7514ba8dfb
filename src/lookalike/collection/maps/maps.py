"""The maps of a collection, as users have them in hand."""

from __future__ import annotations

from lookalike.collection.maps.describing import read_map
from lookalike.collection.maps.making import MapRequest, make_map, make_or_place, place_on_map
from lookalike.collection.names import KeptNames
from lookalike.collection.resources import Resources
from lookalike.collection.stored.maps import StoredMaps
from lookalike.projection.methods import DEFAULT_METHOD
from lookalike.results.maps import ImageMap, MapUpdate
from lookalike.system.chance import RANDOM_STATE
from lookalike.system.checked_calls import checked
from lookalike.system.progress import CancelToken, ProgressReport
from lookalike.system.watching import watching


@checked
class Maps(KeptNames[ImageMap]):
    """The maps that a collection keeps, by name: `Collection.maps`.

    Examples
    --------
    >>> photos = Collection.create(photo_folder, model="pixels-8-grey")
    >>> report = photos.sync()
    >>> found = photos.maps.make("pca")
    >>> photos.maps.names(), "pca" in photos.maps, len(photos.maps)
    (['pca'], True, 1)
    """

    _usual = DEFAULT_METHOD

    def _stored(self, resources: Resources) -> StoredMaps:
        return resources.maps

    def _read(self, resources: Resources, name: str) -> ImageMap:
        return read_map(resources, name)

    def make(
        self,
        method: str = DEFAULT_METHOD,
        name: str | None = None,
        *,
        model: str | None = None,
        perplexity: float | None = None,
        random_state: int = RANDOM_STATE,
        fold: bool = False,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> ImageMap:
        """Make a map, on which images that look alike lie near each other, and keep it under a name.

        Parameters
        ----------
        method : str
            A row of `lookalike.projection.MAP_METHODS`: tsne, pca, ….
        name : str, optional
            Under which it is kept; the method's by default. One of that name is replaced.
        model : str, optional
            Which of the collection's models; its own by default.
        perplexity : float, optional
            t-SNE: about how many neighbours each image has; 30 by default, and less for few images.
        random_state : int
            The same images and number give the same map.
        fold : bool
            Whether each picture counts once, however many near-duplicates of it were found, see
            `Collection.duplicates`: these come where it lies.
        report, cancel : optional
            Who is told how far it has come, and may stop it; see `Collection.sync`.

        Raises
        ------
        InvalidInputError
            If there is no such method, its library is not installed, a parameter is out of range, or the name
            cannot be one.
        CollectionError
            If the collection is empty, its images have not been embedded with the model, or duplicates are to
            be folded, and were not looked for.

        Examples
        --------
        >>> photos = Collection.create(photo_folder, model="pixels-8-grey")
        >>> report = photos.sync()
        >>> found = photos.maps.make("pca")
        >>> found.points.shape, len(found.images)
        ((4, 2), 4)
        """
        request = MapRequest(name, method, model, perplexity, random_state, fold or None)
        with watching(report, cancel) as watch:
            return make_map(self._resources(), request, watch)

    def place(
        self, name: str, *, report: ProgressReport | None = None, cancel: CancelToken | None = None
    ) -> tuple[ImageMap, int]:
        """Place images that came later on a map, near those that they look like; the others stay.

        Parameters
        ----------
        name : str
        report, cancel : optional
            Who is told how far it has come, and may stop it; see `Collection.sync`.

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
        with watching(report, cancel) as watch:
            return place_on_map(self._resources(), name, watch)

    def make_or_place(
        self,
        name: str | None = None,
        *,
        method: str | None = None,
        model: str | None = None,
        perplexity: float | None = None,
        random_state: int | None = None,
        fold: bool | None = None,
        new: bool = False,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> MapUpdate:
        """Return the map of a name, brought up to date: made if need be, else with what came later placed.

        It is made if there is none of that name, if that one was made in another way than is asked for, or
        if it is to be a new one.

        Parameters
        ----------
        name : str, optional
            The method's by default.
        method : str, optional
            See `make`.
        model, perplexity, random_state, fold : optional
            See `make`. Whatever is not given is as in the map that is there, or else as by default.
        new : bool
            Make it anew in any case. A damaged one is then replaced.
        report, cancel : optional
            Who is told how far it has come, and may stop it; see `Collection.sync`.

        Returns
        -------
        MapUpdate

        Raises
        ------
        InvalidInputError, CollectionError
            See `make` and `place`.
        StoreError
            If the map of that name is damaged, and is not to be made anew.

        Examples
        --------
        >>> photos = Collection.create(photo_folder, model="pixels-8-grey")
        >>> report = photos.sync()
        >>> photos.maps.make_or_place(method="pca").is_new, photos.maps.make_or_place(method="pca").is_new
        (True, False)
        """
        request = MapRequest(name, method, model, perplexity, random_state, fold)
        with watching(report, cancel) as watch:
            return make_or_place(self._resources(), request, new, watch)
