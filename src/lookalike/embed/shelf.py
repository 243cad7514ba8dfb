"""The models that a collection can use: those of the table, and those that it made of its own vectors."""

from __future__ import annotations

from pathlib import Path

from lookalike.embed.embedder import Embedder
from lookalike.embed.loading import load_model
from lookalike.embed.models import Model, get_model
from lookalike.embed.reduced import ReducedEmbedder, base_name, reduced_model, reduced_name
from lookalike.errors import ModelError
from lookalike.reduce import PCA


class ModelShelf:
    """Finds and loads models by name; each is loaded once.

    Parameters
    ----------
    folder : Path
        Where the collection keeps models of its own; it need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._loaded: dict[tuple[str, int], Embedder] = {}

    def get(self, name: str) -> Model:
        """Return a model's description.

        Raises
        ------
        ModelError
            If there is none of that name.
        """
        base = self._base_of(name)
        if base is None:
            return get_model(name)
        return reduced_model(name, self.get(base), self.pca(name).n_components_)

    def load(self, name: str, threads: int) -> Embedder:
        """Return a model, loaded; see `load_model`."""
        key = (name, threads)
        if key not in self._loaded:
            base = self._base_of(name)
            self._loaded[key] = (
                load_model(name, threads)
                if base is None
                else ReducedEmbedder(self.get(name), self.load(base, threads), self.pca(name))
            )
        return self._loaded[key]

    def _base_of(self, name: str) -> str | None:
        """Return the base of one of the collection's own models; None for any other name."""
        return base_name(name) if name in self.reduced() else None

    def reduced(self) -> list[str]:
        """Return the names of the collection's own models."""
        return sorted(file.stem for file in self.folder.glob("*.npz") if base_name(file.stem))

    def pca(self, name: str) -> PCA:
        """Return the components of a reduced model."""
        return PCA.load(self.folder / f"{name}.npz")

    def add_reduced(self, base: str, pca: PCA) -> Model:
        """Keep a fitted PCA as a model of its own, under a name that none has yet.

        Raises
        ------
        ModelError
            If it cannot be written.
        """
        number = 1
        while (name := reduced_name(base, pca.n_components_, pca.whiten, number)) in self.reduced():
            number += 1
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            pca.save(self.folder / f"{name}.npz")
        except OSError as error:
            raise ModelError(f"cannot keep the model {name} in {self.folder}: {error.strerror}") from error
        return self.get(name)
