"""A model is tried before anything is embedded with it, in a process of its own, within bounds.

A graph that others made may need all memory there is, never come to an end, or crash the library that runs
it; none of this can be known without running it. So the first time that a collection takes it, a child
embeds some images: grey, black, white, and noise. From then on its content is known by its sha256, on this
machine: what came with a collection that was made elsewhere is tried here once more. So is a text tower,
unless the table of models knows it.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from lookalike.embed.external import LARGEST_DIMENSION
from lookalike.embed.model_file import read_model_file
from lookalike.embed.models import Model, TextUse
from lookalike.errors import (
    CacheError,
    ModelConflictError,
    ModelError,
    ModelInputError,
    ModelMemoryError,
    ModelResourceError,
)
from lookalike.system.cache import cache_folder, check_trusted, make_folder, shut
from lookalike.system.memory import free_memory
from lookalike.system.progress import UNWATCHED, Watch
from lookalike.system.replace_file import replace_file
from lookalike.types import PixelArray, Vectors

if TYPE_CHECKING:
    from lookalike.embed.adapted import AdaptedEmbedder
    from lookalike.system.children import Children, StoppedError

T = TypeVar("T")

SECONDS = 60.0
"""What a trial may take: nine images by one core."""

_TRIAL = 1  # counted up where more is tried
_LEAST_MEMORY = 1 << 29  # bytes
_SAME = 1e-6  # relative difference of numbers that are the same but for rounding
_NEAR = 0.05  # distance, of lengths: kernels for batches round otherwise
GREY, NOISE, OTHER_NOISE = "a grey image", "noise", "other noise"
_ALWAYS = (GREY, NOISE, OTHER_NOISE)  # what must have a vector; one of only black or white may be a failure
_TEXTS = ("a photo of a cat", "x", "far more words than anybody searches for " * 50)
_known: dict[tuple[object, ...], int] = {}  # dimension, by content and use
_children: list[Children] = []
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph that embeds images, to be tried.

    Attributes
    ----------
    path : Path
    sha256 : str
    model : Model
        Of the architecture ``onnx``; a dimension of 0 is not known yet.
    """

    path: Path
    sha256: str
    model: Model


def try_graph(graph: Graph, watch: Watch = UNWATCHED) -> int:
    """Try a graph that embeds images; return how many numbers it gives an image.

    Raises
    ------
    ModelError
        If it does not run within the bounds, or what it gives are no vectors that can be compared.
    """
    key = graph.sha256, graph.model.use, graph.model.size
    return _once(key, lambda: _try_in_child(try_here, graph, graph.model.name, watch))


@dataclass(frozen=True, slots=True)
class Tower:
    """A text tower, to be tried; its parts are those of a `TextTower`."""

    name: str
    graph: Path
    tokenizer: Path
    use: TextUse
    dimension: int


def try_tower(tower: Tower, sums: tuple[str, str], watch: Watch = UNWATCHED) -> None:
    """Try a text tower.

    Parameters
    ----------
    tower : Tower
    sums : tuple of str
        The sha256 of its graph, and of its tokenizer.
    watch : Watch

    Raises
    ------
    ModelError
        If it does not run within the bounds, or gives for a text what is no vector of the dimension.
    """
    key = (*sums, tower.use, tower.dimension)
    _once(key, lambda: _try_in_child(try_tower_here, tower, f"{tower.name} (its text tower)", watch))


def _once(key: tuple[object, ...], find: Callable[[], int]) -> int:
    """Return what was found out of a content, on this machine; found out now if it was not yet."""
    if key not in _known:
        digest = hashlib.sha256(repr((_TRIAL, key)).encode()).hexdigest()
        file = cache_folder() / "models" / "tried" / digest[:32]
        found = None
        with contextlib.suppress(OSError, ValueError, CacheError):
            check_trusted(file)
            found = int(file.read_bytes())
        if found is None:
            found = find()
            with contextlib.suppress(OSError, CacheError):  # then it is tried by the next process, too
                make_folder(file.parent)
                replace_file(file, str(found).encode())
                shut(file)
        _known[key] = found
    return _known[key]


def _try_in_child(function: Callable[[T], int], given: T, name: str, watch: Watch) -> int:
    from lookalike.system.children import Bounds, Children, StoppedError  # no search has need of it

    with _lock:
        if not _children:
            _children.append(Children(prepare=("lookalike.embed.adapted", "onnx", "onnxruntime")))
    memory = max(free_memory() // 2, _LEAST_MEMORY)
    bounds = Bounds(SECONDS, memory)
    try:
        called = f"{__name__}:{function.__name__}"
        found: int = _children[0].call(called, given, bounds=bounds, watch=watch).value
    except StoppedError as error:
        if error.why == "start":  # no interpreter: in a program that was frozen, say
            return function(given)
        raise _stopped(name, error) from error
    except ModelMemoryError:
        raise
    except MemoryError as error:
        raise ModelMemoryError(
            f"the model {name} needs more memory than {memory / 2**30:.1f} GiB, which is half of what is free"
        ) from error
    return found


def _stopped(name: str, error: StoppedError) -> ModelError:
    late = f"the model {name} did not come to an end within {SECONDS:g} s, when it was tried"
    if error.why == "time":
        return ModelInputError(late)
    if error.why == "busy":
        return ModelResourceError(
            f"{late} on this machine, which is busy", hint="try again when it is less so"
        )
    if error.why == "killed":
        return ModelMemoryError(f"there is not enough memory to run the model {name}")
    return ModelInputError(f"the model {name} cannot be run: {error}")


def try_here(graph: Graph) -> int:
    """Try a graph in this process; see `try_graph`."""
    from lookalike.embed.adapted import AdaptedEmbedder

    data = read_model_file(graph.path)
    if hashlib.sha256(data).hexdigest() != graph.sha256:
        raise ModelConflictError(f"{graph.path} is being written", hint="wait until it is whole")
    embedder = AdaptedEmbedder(graph.model, data)
    name, dimension, images = embedder.model.name, embedder.model.dimension, trial_images(embedder.model.size)
    if dimension > LARGEST_DIMENSION:
        raise ModelInputError(
            f"the model {name} gives {dimension:,} numbers an image; expected at most {LARGEST_DIMENSION:,}"
        )
    vectors = _embed_each(embedder, images)
    _check_vectors(vectors, name)
    if not embedder.takes_one:
        _check_batch(embedder, images, vectors)
    return dimension


def try_tower_here(tower: Tower) -> int:
    """Try a text tower in this process; see `try_tower`."""
    from lookalike.embed.text import TextTower

    loaded = TextTower(tower.name, tower.graph, tower.tokenizer, tower.use, tower.dimension)
    for text in _TEXTS:
        loaded.embed([text])
    return tower.dimension


def _embed_each(embedder: AdaptedEmbedder, images: Mapping[str, PixelArray]) -> dict[str, Vectors]:
    """Return the vectors, (d,) each; none of what the model fails for, where that is of one color."""
    vectors = {}
    for what, image in images.items():
        try:
            vectors[what] = embedder.embed(image[None])[0]
        except ModelInputError:
            if what in _ALWAYS:
                raise
    return vectors


def _check_vectors(vectors: Mapping[str, Vectors], name: str) -> None:
    for what in _ALWAYS:
        if not np.isfinite(vectors[what]).all():
            raise ModelInputError(f"the model {name} gives numbers that are not finite for {what}")
    if not vectors[NOISE].any():
        raise ModelInputError(f"the model {name} gives only zeros for {NOISE}")
    first, *others = (each for each in vectors.values() if np.isfinite(each).all())
    if all(np.allclose(first, other, rtol=_SAME, atol=0) for other in others):
        raise ModelInputError(f"the model {name} gives the same numbers for every image")


def _check_batch(
    embedder: AdaptedEmbedder, images: Mapping[str, PixelArray], alone: Mapping[str, Vectors]
) -> None:
    """Refuse a model whose numbers for an image depend on what others are embedded with it.

    One that only fails with several is given one at a time.
    """
    embedder.batch_size = len(_ALWAYS)
    try:
        together = embedder.embed(np.stack([images[what] for what in _ALWAYS]))
    except ModelInputError:
        return
    for what, vector in zip(_ALWAYS, together, strict=True):
        if not np.linalg.norm(vector - alone[what]) <= _NEAR * np.linalg.norm(alone[what]):
            raise ModelInputError(
                f"the model {embedder.model.name} gives other numbers for {what} alone than beside others"
            )


def trial_images(side: int) -> dict[str, PixelArray]:
    """Return what a model is tried on, by what it is: (side, side, 3) uint8 each."""
    random = np.random.default_rng(0)
    shape = (side, side, 3)
    return {
        GREY: np.full(shape, 127, np.uint8),
        "a black image": np.zeros(shape, np.uint8),
        "a white image": np.full(shape, 255, np.uint8),
        NOISE: random.integers(0, 256, shape, np.uint8),
        OTHER_NOISE: random.integers(0, 128, shape, np.uint8),
    }
