"""The models that a collection can use: those of the table, and those of its own.

Its own are the reduced ones, made of its vectors, ONNX files of the user's, networks trained on its images,
and those whose vectors are brought along. Its folder holds

    lite0+pca128.npz         the components of a reduced model
    net-1a2b3c4d.onnx .json  a file of the user's, or a trained network, and how it is used
    lite0-birds.card.md …    what is known of a trained network
    ours.external            the dimension and the metric of one whose vectors are brought along
    clip-vit-b32.weights     which weights the vectors of a model of the hub were made with
"""

from __future__ import annotations

import contextlib
import glob
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

from lookalike.embed.adapted import AdaptedEmbedder
from lookalike.embed.embedder import Embedder
from lookalike.embed.external import (
    cannot_embed,
    external_model,
    keep_external,
    kept_external,
    list_external,
)
from lookalike.embed.loading import load_model
from lookalike.embed.local import LocalModel, is_path, keep_local, kept_local, load_kept, read_local
from lookalike.embed.models import HubFiles, Model, get_model
from lookalike.embed.reduced import ReducedEmbedder, base_name, reduced_model, reduced_name
from lookalike.embed.runtime import Compute
from lookalike.errors import (
    InvalidInputError,
    ModelConflictError,
    ModelDamagedError,
    ModelError,
    ModelNotFoundError,
    ModelResourceError,
)
from lookalike.hints import Hint
from lookalike.pca import PCA
from lookalike.system.checked_calls import shown
from lookalike.system.flush import make_durable_folder
from lookalike.system.memo import Memo
from lookalike.system.plain_files import read_plain
from lookalike.system.progress import UNWATCHED, Watch
from lookalike.system.sums import check_noted, replace_noted
from lookalike.types import Metric

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Read(Generic[T]):
    """What was read from a file, and the size and time that the file had."""

    facts: tuple[int, int] | None
    content: T

    def is_of(self, facts: tuple[int, int] | None) -> bool:
        """Tell whether the file is still what it was; where nothing is known of it, it is read again."""
        return facts is not None and self.facts == facts


class ModelRegistry:
    """Finds and loads models by name; each is loaded once, however many threads ask for it.

    Parameters
    ----------
    folder : Path
        Where the collection keeps models of its own; it need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._loaded: Memo[tuple[str, Compute], Embedder] = Memo()
        self._external: dict[str, LocalModel] = {}  # ONNX files that were named by their paths
        self._files: Memo[Path, _Read[LocalModel]] = Memo()  # the same
        self._pcas: Memo[str, _Read[PCA]] = Memo()

    def get(self, name: str) -> Model:
        """Return a model's description. An ONNX file is read, tried, and described, but not kept yet.

        Parameters
        ----------
        name : str
            A name; or the path of an ONNX file.

        Raises
        ------
        ModelError
            If there is none of that name, or the file is none that can be used.
        InvalidInputError
            If it is no text.
        """
        if not isinstance(name, str):
            raise InvalidInputError(f"model is {shown(name)}; expected its name, or the path of an ONNX file")
        if is_path(name):
            return self._visit(Path(name))
        base = self._base_of(name)
        if base is None:
            return self.external(name) or self._local(name) or self._given(name)
        return reduced_model(name, self.get(base), self.pca(name).n_components_)

    def load(self, name: str, compute: Compute, is_new: bool = False, watch: Watch = UNWATCHED) -> Embedder:
        """Return a model, loaded; see `load_model`.

        Parameters
        ----------
        name : str
        compute : Compute
        is_new : bool
            Whether the collection has no vectors of it yet.
        watch : Watch
            Told of what is fetched.

        Raises
        ------
        ModelError
            If it cannot be loaded, or its weights are not those that the collection's vectors were made with.
        """
        key = (name, compute)
        embedder = self._loaded.get(key, lambda: self._load(name, compute, watch))
        if not is_new:
            try:
                self._check_weights(name, embedder)
            except ModelError:
                self._loaded.forget(key)  # the right ones may be fetched meanwhile
                raise
        return embedder

    def _load(self, name: str, compute: Compute, watch: Watch) -> Embedder:
        if self.external(name) is not None:
            raise cannot_embed(name)
        base = self._base_of(name)
        if base is not None:
            return ReducedEmbedder(self.get(name), self.load(base, compute, watch=watch), self.pca(name))
        visiting = self._external.get(name)
        if visiting is not None:
            return visiting.open(compute)
        kept = kept_local(name, self.folder)
        if kept is not None:
            return load_kept(kept, self.folder, compute)
        return load_model(name, compute, watch)

    def keep(self, name: str, embedder: Embedder, is_new: bool) -> None:
        """Keep what the vectors about to be written need or tell: a user's file, the hash of a hub's.

        Raises
        ------
        ModelError
            If it cannot be written.
        """
        visiting = self._external.get(name)
        if visiting is not None and kept_local(name, self.folder) is None:
            keep_local(visiting, self.folder)
        if isinstance(embedder, AdaptedEmbedder) and isinstance(embedder.model.weights, HubFiles):
            file = self._weights_file(name)
            if file.exists() and not is_new:
                return
            try:
                make_durable_folder(self.folder)
                content = f"{embedder.sha256}\n".encode("ascii")
                replace_noted(file, content)
            except OSError as error:
                raise ModelResourceError(f"cannot write {file}: {error.strerror or error}") from error

    def _check_weights(self, name: str, embedder: Embedder) -> None:
        if not isinstance(embedder, AdaptedEmbedder):
            return
        file = self._weights_file(name)
        try:
            content = read_plain(file)
            check_noted(file, content)
            expected = content.decode("ascii").strip()
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            raise ModelDamagedError(f"cannot read {file}: {error}", hint=Hint("repair")) from error
        if expected != embedder.sha256:
            raise ModelConflictError(
                f"the vectors of {name} in this collection were made with other weights than are here:"
                f" expected sha256 {expected}, got {embedder.sha256}",
                hint=Hint("fetch_commit", model=name),
            )

    def _weights_file(self, name: str) -> Path:
        return self.folder / f"{name}.weights"

    def _visit(self, path: Path) -> Model:
        """Read an ONNX file, once for each content, and remember it under its name."""
        path = Path(os.path.abspath(path))
        facts = _facts_of(path)
        read = self._files.get(
            path, lambda: _Read(facts, self._read_file(path)), lambda read: read.is_of(facts)
        )
        local = read.content
        self._external[local.model.name] = local
        return local.model

    def _read_file(self, path: Path) -> LocalModel:
        local = read_local(path)
        kept = kept_local(local.model.name, self.folder)
        if kept is not None and kept != replace(local.model, title=kept.title):
            raise ModelConflictError(
                f"{path} is in this collection already as {kept.name}, but used otherwise than the JSON file"
                " beside it says now",
                hint="rename the ONNX file to have both",
            )
        return local

    def _local(self, name: str) -> Model | None:
        """Return a user's model that was named by its path before, or is kept; None for any other name."""
        visiting = self._external.get(name)
        return kept_local(name, self.folder) if visiting is None else visiting.model

    def _given(self, name: str) -> Model:
        with contextlib.suppress(ModelNotFoundError):
            return get_model(name)
        if os.path.isdir(self.folder.parent / "vectors" / f"{name}.lance"):  # also of a name that is none
            raise ModelDamagedError(
                f"there are vectors of {name} here, and nothing says any more how they are made or compared",
                hint=Hint("repair"),
            )
        return get_model(name, [*self.reduced(), *self._kept(), *list_external(self.folder)])

    def _base_of(self, name: str) -> str | None:
        """Return the base of one of the collection's own models; None for any other name."""
        base = base_name(name)
        return base if base is not None and name in self.reduced() else None

    def reduced(self) -> list[str]:
        """Return the names of the collection's own models."""
        try:
            files = os.listdir(self.folder)  # every search asks: to glob takes ten times as long
        except OSError:  # it need not exist
            return []
        stems = (file.removesuffix(".npz") for file in files if file.endswith(".npz"))
        return sorted(stem for stem in stems if base_name(stem))

    def _kept(self) -> list[str]:
        """Return the names of the user's files that are kept."""
        if not os.path.isdir(self.folder):
            return []
        return sorted(file.stem for file in self.folder.glob("*.onnx") if file.with_suffix(".json").is_file())

    def pca(self, name: str) -> PCA:
        """Return the components of a reduced model, read once as long as the file stays what it is."""
        file = self.folder / f"{name}.npz"
        facts = _facts_of(file)
        read = self._pcas.get(name, lambda: _Read(facts, PCA.load(file)), lambda read: read.is_of(facts))
        return read.content

    def check_free(self, name: str) -> None:
        """Raise ModelError if there is a model of that name already."""
        try:
            self.get(name)
        except ModelError:
            if kept_local(name, self.folder) is None:  # which says so if it is there, and damaged
                return
            raise
        raise ModelConflictError(
            f"there is a model {name} already, and it stays as it is", hint=Hint("embed_with_it", model=name)
        )

    def add_trained(self, local: LocalModel, beside: Mapping[str, bytes]) -> None:
        """Keep a model that was trained, with files about it.

        Parameters
        ----------
        local : LocalModel
        beside : mapping of str to bytes
            By the ending that follows the model's name: ``.card.md``.

        Raises
        ------
        ModelError
            If it cannot be written; or there is a model of its name already.
        """
        name = local.model.name
        self.check_free(name)
        try:
            make_durable_folder(self.folder)
            for ending, content in beside.items():
                replace_noted(self.folder / f"{name}{ending}", content)
        except OSError as error:
            raise ModelResourceError(
                f"cannot keep the model {name} in {self.folder}: {error.strerror}"
            ) from error
        keep_local(local, self.folder)

    def external(self, name: str) -> Model | None:
        """Return a model whose vectors were brought along; None for any other name."""
        return kept_external(name, self.folder)

    def add_external(self, name: str, dimension: int, metric: Metric) -> Model:
        """Keep a model whose vectors are brought along.

        Raises
        ------
        InvalidInputError
            If the name, the dimension or the metric is none.
        ModelError
            If there is a model of that name already, or it cannot be written.
        """
        model = external_model(name, dimension, metric)
        self.check_free(name)
        keep_external(model, self.folder)
        return model

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
            make_durable_folder(self.folder)
            content = pca.to_bytes()
            replace_noted(self.folder / f"{name}.npz", content)
        except OSError as error:
            self.remove_reduced(name)
            raise ModelResourceError(
                f"cannot keep the model {name} in {self.folder}: {error.strerror}"
            ) from error
        return self.get(name)

    def remove_reduced(self, name: str) -> None:
        """Delete a model that `add_reduced` has made, as its vectors could not be written."""
        # What is noted of it goes first: without the file, that looks like damage.
        for file in sorted(self.folder.glob(f"{glob.escape(name)}.npz*"), reverse=True):
            with contextlib.suppress(OSError):
                file.unlink()


def _facts_of(file: Path) -> tuple[int, int] | None:
    """Return what changes when a file does; None if nothing is known."""
    try:
        status = file.stat()
    except (OSError, ValueError):  # ValueError: a zero byte in the name
        return None
    return status.st_size, status.st_mtime_ns
