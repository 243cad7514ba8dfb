"""The collection's own models: components of reduced ones, ONNX files, what is known of trained ones."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path

from lookalike.collection.checking.parts import Looking, Mended
from lookalike.embed import ModelRegistry, base_name
from lookalike.errors import LookalikeError, ModelDamagedError
from lookalike.hints import Hint, Sentence
from lookalike.pca import PCA
from lookalike.results.checking import Damage
from lookalike.store import Store
from lookalike.system.replace_file import replace_file
from lookalike.system.sums import check_noted, is_as_written, read_document, replace_noted, summed, why_unread

_COSTS = {
    ".npz": "searches by the reduced model from what is not in the collection, and new images in it",
    ".onnx": "searches by this model from what is not in the collection, and new images in it",
    ".json": "everything by this model: it says how the network is used",
    ".external": "everything by this model: it says how its vectors are compared",
    ".weights": "the comparison of the model's weights with those that the vectors were made with",
    ".md": "nothing but the description of a trained network",
}


def look_at_models(looking: Looking) -> None:
    """Look at all files of the folder of models."""
    folder = looking.folder / "models"
    if not folder.is_dir():
        return
    for file in sorted(folder.iterdir()):
        if file.suffix == ".sum" or file.suffix == ".part" or not file.is_file():
            continue
        verified, reason = _look(file)
        looking.count(file, verified)
        if reason is not None:
            _find(looking, file, reason)
    for note in sorted(folder.glob("*.sum")):
        if not note.with_suffix("").exists():
            _find(looking, note.with_suffix(""), "the file is missing")
    for described in sorted(folder.glob("*.json")):
        graph = described.with_suffix(".onnx")
        if not described.name.endswith(".card.json") and not graph.exists():
            _find(looking, graph, "the file is missing")
    for graph in sorted(folder.glob("*.onnx")):
        # It is written last, and before the first vectors: without any, somebody was killed.
        if not graph.with_suffix(".json").exists() and graph.stem in Store(looking.folder).vector_tables():
            _find(looking, graph.with_suffix(".json"), "the file is missing")
    _look_for_missing(looking, folder)


def _look_for_missing(looking: Looking, folder: Path) -> None:
    """Look for models of which there are vectors, and nothing that says what they are."""
    there = {finding.damage.place for finding in looking.findings}
    registry = ModelRegistry(folder)
    for name in Store(looking.folder).vector_tables():
        is_reduced = base_name(name) is not None
        file = folder / f"{name}{'.npz' if is_reduced else '.external'}"
        if file.exists() or {looking.place(file.with_name(name + each)) for each in _COSTS} & there:
            continue
        try:
            registry.get(name)
        except ModelDamagedError:
            _find(looking, file, "the file is missing")


def _look(file: Path) -> tuple[bool, str | None]:
    """Return whether a file has a checksum, and what is wrong with it."""
    verified = False
    try:
        content = file.read_bytes()
        verified = check_noted(file, content)
        if file.suffix == ".npz":
            PCA.load(file)
        elif file.suffix == ".external" or (file.suffix == ".json" and not file.name.endswith(".card.json")):
            read_document(content)  # raises where it is none
            verified = is_as_written(content)
            ModelRegistry(file.parent).get(file.stem)  # raises where it describes no model
        elif file.suffix == ".onnx":
            with contextlib.suppress(OSError, ValueError, KeyError):  # which is told of that file
                expected = json.loads(file.with_suffix(".json").read_bytes())["sha256"]
                verified = True
                if hashlib.sha256(content).hexdigest() != expected:
                    return True, "its content is not what its description says"
        elif file.suffix == ".weights" and len(content.strip()) != 64:
            raise ValueError("it holds no sha256")
    except (LookalikeError, OSError) as error:
        return verified, str(error)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        return verified, why_unread(error)
    return verified, None


def _find(looking: Looking, file: Path, reason: str) -> None:
    name, kind = file.name.removesuffix(file.suffix), file.suffix
    if file.name.endswith(".card.json"):
        kind = ".md"
    remedy = {
        ".weights": "it is moved aside, and noted again with the next vectors",
        ".md": "it is moved aside",
        ".external": "it is made again of the vectors, compared as they look to be",
        ".npz": "it is fitted again, on the vectors of today, and the reduced model's own made anew",
    }.get(kind, "it is moved aside")
    looking.find(
        Damage("model", looking.place(file), reason, _COSTS.get(kind, _COSTS[".onnx"]), remedy),
        lambda: _mend(looking, file, name, kind),
        10,
    )


def _mend(looking: Looking, file: Path, name: str, kind: str) -> Mended:
    if kind == ".external":
        made = _external_again(looking, name)
        if made is not None:
            looking.keep_copy(file)
            replace_file(file, json.dumps(summed(made), indent=2).encode(), durable=True)
            return Mended("it was made again of the vectors")
    if kind == ".npz":
        return _refit(looking, file, name)
    looking.move_aside(file)
    if kind in (".weights", ".md"):
        looking.move_aside(file.with_name(f"{file.name}.sum"))
        return Mended("it was moved aside", is_back=kind == ".weights")
    if kind == ".json":
        looking.move_aside(file.with_suffix(".onnx"))
    elif kind == ".onnx":
        looking.move_aside(file.with_suffix(".json"))
    return Mended(Sentence("it was moved aside", Hint("give_onnx", first="")), is_back=False)


def _external_again(looking: Looking, name: str) -> dict[str, object] | None:
    import numpy as np

    table = Store(looking.folder).vector_tables().get(name)
    with contextlib.suppress(LookalikeError):
        if table is not None and table.exists():
            dimension = table.dimension()
            for _, vectors in table.vector_blocks():
                lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
                is_unit = bool(np.abs(lengths - 1).max() < 1e-4)
                return {"dimension": dimension, "metric": "cosine" if is_unit else "euclidean"}
    return None


def _refit(looking: Looking, file: Path, name: str) -> Mended:
    """Fit the components of a reduced model again: of the same vectors they are the same."""
    import re

    found = re.fullmatch(r"(?P<base>.+)\+pca(?P<dimension>\d+)(?P<whiten>-whiten)?(-\d+)?", name)
    base = base_name(name)
    store = Store(looking.folder)
    problem = "the vectors that it was fitted on cannot be read"
    if found and base:
        try:
            tables = store.vector_tables()
            if base in tables:
                _, vectors = store.vectors(base, tables[base].dimension() or 0).read_vectors()
                pca = PCA(int(found["dimension"]), bool(found["whiten"])).fit(
                    vectors, **looking.watch.quiet().told
                )
                looking.keep_copy(file)
                replace_noted(file, pca.to_bytes())
                # What was made with the others does not go with these.
                if name in tables:
                    looking.move_aside(tables[name].folder)
                looking.must_read_again()
                return Mended(
                    "it was fitted again, on the vectors of today, and its own are made anew: distances by it"
                    " may be slightly others",
                    is_back=False,
                )
        except (LookalikeError, OSError) as error:
            problem = str(error)
    looking.move_aside(file)
    looking.move_aside(file.with_name(f"{file.name}.sum"))
    if name in store.vector_tables():
        looking.move_aside(store.vector_tables()[name].folder)
    return Mended(
        Sentence(
            f"it was moved aside with its vectors: {problem}", Hint("reduce", reader="the model's reduction")
        ),
        is_back=False,
    )
