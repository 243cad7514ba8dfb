"""The models that a sync embeds images with, loaded once all of them can be."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from lookalike.collection.embedded import vector_table
from lookalike.collection.models.reducing import extend_reduced
from lookalike.collection.resources import Resources
from lookalike.collection.searchers import forget_indexes
from lookalike.embed import Compute, Model, ModelRegistry, base_name, reduce_vectors
from lookalike.embed.external import cannot_embed
from lookalike.errors import ModelError
from lookalike.hints import Hint
from lookalike.store import Store, Table
from lookalike.sync import Target
from lookalike.system.progress import Watch


@dataclass(frozen=True, slots=True)
class EmbeddingModels:
    """The models that a sync brings up to date.

    Attributes
    ----------
    store : Store
    registry : ModelRegistry
    compute : Compute
    names : tuple of str
        Of all.
    networks : tuple of Model
        Those that look at images, and those that a reduced model of these is made of.
    """

    store: Store
    registry: ModelRegistry
    compute: Compute
    names: tuple[str, ...]
    networks: tuple[Model, ...]

    @classmethod
    def choose(cls, resources: Resources, asked: str | None, compute: Compute) -> EmbeddingModels:
        """Return the model that was asked for, else all of the collection's.

        Raises
        ------
        ModelError
            If there is none of that name, one of the collection's cannot be found, or it is one whose vectors
            are brought along.
        """
        registry = resources.models
        names = tuple(resources.model_names()) if asked is None else (registry.get(asked).name,)
        # A reduced model is made of its base's vectors, so that one comes first.
        networks = []
        for name in dict.fromkeys(base_name(name) or name for name in names):
            with _way_around(name, names):
                found = registry.get(name)
            if found.can_embed:
                networks.append(found)
            elif asked is not None:
                raise cannot_embed(name)
        return cls(resources.live, registry, compute, names, tuple(networks))

    def prepare(self, networks: Sequence[Model], watch: Watch) -> None:
        """Load those that are about to be used; only once all of them could be, keep what they need."""
        loaded = []
        for model in networks:
            is_new = vector_table(self.store, model).count() == 0
            with _way_around(model.name, self.names):
                loaded.append(
                    (model.name, self.registry.load(model.name, self.compute, is_new, watch), is_new)
                )
        for name, embedder, is_new in loaded:
            self.registry.keep(name, embedder, is_new)

    def target(self, model: Model, table: Table) -> Target:
        """Return the table of a model's vectors, to be filled."""
        return Target(table, partial(self.registry.load, model.name, self.compute))

    def target_with_derived(self, model: Model) -> Target:
        """Return the table of a model, of which rows are to be replaced, with all that is made of it."""
        get, store = self.registry.get, self.store
        reduced = [get(name) for name in self.registry.reduced() if base_name(name) == model.name]
        derived = [
            (vector_table(store, each), partial(reduce_vectors, pca=self.registry.pca(each.name), model=each))
            for each in reduced
        ]
        made_of_it = [each.name for each in (model, *reduced)]
        return Target(
            vector_table(store, model),
            partial(self.registry.load, model.name, self.compute),
            derived,
            partial(forget_indexes, store.folder, made_of_it),
        )

    def extend_reduced(self, watch: Watch) -> None:
        """Give every image that a network has embedded a vector of the reduced models."""
        for name in filter(base_name, self.names):
            with _way_around(name, self.names):
                extend_reduced(self.store, self.registry, name, watch)


@contextlib.contextmanager
def _way_around(name: str, names: Sequence[str]) -> Iterator[None]:
    """Add to what is wrong with one of several models how to go on without it."""
    try:
        yield
    except ModelError as error:
        others = [other for other in names if name not in (other, base_name(other))]
        if not others:
            raise
        raise error.amended(hint=Hint("sync_other", model=others[0])) from error
