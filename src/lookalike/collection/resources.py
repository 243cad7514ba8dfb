"""What every read of a collection needs, in one value that goes from function to function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from lookalike.collection.embedded import Embedded, embedded_images, nothing_embedded, vector_table
from lookalike.collection.places import Places
from lookalike.collection.said import Said
from lookalike.collection.searchers import Searchers
from lookalike.collection.snapshot import Snapshots
from lookalike.collection.statements.draft import Draft
from lookalike.collection.stored.clusterings import StoredClusterings
from lookalike.collection.stored.edits import Edits
from lookalike.collection.stored.maps import StoredMaps
from lookalike.collection.sureness import Judges
from lookalike.embed import Model, ModelRegistry
from lookalike.errors import CollectionConflictError
from lookalike.results.said import Change, ChangeKind
from lookalike.store import Store
from lookalike.types import Ids

T = TypeVar("T")

_TRIES = 5  # while somebody edits clusterings


@dataclass(frozen=True, slots=True)
class Resources:
    """A collection as one request sees it, and the caches that all requests share.

    Attributes
    ----------
    places : Places
        Of this request: the roots, the tables and the names of clusters as the snapshot of now shows them.
    live : Store
        The tables to be written, which show what others commit meanwhile.
    snapshots : Snapshots
        For who writes, and then wants to see what is there.
    maps : StoredMaps
    searchers : Searchers
    judges : Judges
        Of how sure answers are.
    models : ModelRegistry
    """

    places: Places
    live: Store
    snapshots: Snapshots
    maps: StoredMaps
    searchers: Searchers
    judges: Judges
    models: ModelRegistry

    @property
    def store(self) -> Store:
        """The tables as they were."""
        return self.places.store

    @property
    def clusterings(self) -> StoredClusterings:
        """The clusterings that are kept."""
        return self.places.clusterings

    def model(self, name: str | None) -> Model:
        """Return a model; the collection's own where none is named.

        Raises
        ------
        ModelError
            If there is none of that name.
        """
        return self.models.get(self.places.manifest.model if name is None else name)

    def model_names(self) -> list[str]:
        """Return the names of the models that the collection is embedded with, its own first."""
        own = self.places.manifest.model
        return [own, *sorted((set(self.store.vector_tables()) | set(self.models.reduced())) - {own})]

    def embedded(self, model: Model) -> Embedded:
        """Return the images that a model has embedded, if any."""
        return embedded_images(self.store, self.searchers, model)

    def some_embedded(self, name: str | None) -> tuple[Model, Embedded]:
        """Return a model by the name that the user gave it, if any, and the images that it has embedded.

        Raises
        ------
        CollectionError
            If it has embedded none.
        """
        model = self.model(name)
        embedded = self.embedded(model)
        if not len(embedded):
            raise nothing_embedded(self.store, model.name, name)
        return model, embedded

    def change(self, kind: ChangeKind, make: Callable[[Draft], object]) -> Change | None:
        """Change what is said, and return when it is on the disk; None if all is said already.

        Parameters
        ----------
        kind : str
            What the change comes from.
        make : callable
            Puts it together, on top of what is said once nobody else can write.
        """

        def edits(said: Said) -> Edits:
            draft = Draft(said)
            make(draft)
            return draft.edits()

        return self.snapshots.journal.write(kind, edits)

    def embedded_of(self, images: Iterable[int], model: Model) -> Ids:
        """Return which of some images a model has embedded: vectors may outlast their image."""
        embedded = vector_table(self.store, model).read(["id"])["id"].to_numpy()
        found: Ids = embedded[np.isin(embedded, list(images))]
        return found


def of_one_state(newest: Opener, ask: Callable[[Resources], T], first: Resources | None = None) -> T:
    """Return an answer of one committed state: of the next, where the first is not all there any more.

    Clusterings are replaced by who edits them, and the earlier ones are gone.
    """
    resources = newest() if first is None else first
    for _ in range(_TRIES):
        try:
            return ask(resources)
        except CollectionConflictError:
            before, resources = resources, newest()
            if resources.places.snapshot is before.places.snapshot:
                raise
    return ask(resources)


Opener = Callable[[], Resources]
"""Gives the resources as they are now: called once a request."""
