"""Other libraries' search indexes, and our KD-tree: one thread, one query a call; a peer is a page, or less.

Parameters are those under which ann-benchmarks, or the library's own guide, shows it at its best on sets of
this size.
"""

# ruff: noqa: D101, D102 - every peer has the same five methods, described in Peer

from __future__ import annotations

import importlib.util
import pickle
import shutil
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from lookalike.index import KDTree
from lookalike.types import Metric

Answer = Callable[[Any], Any]  # a query (d,) → ids (k,)


class Peer(ABC):
    """An index of another library.

    Attributes
    ----------
    module : str
        What has to be importable.
    efforts : tuple
        What makes it slower and better, by its own name for it.
    most_queries : int
        The slow ones are asked no more.
    """

    module: ClassVar[str]
    efforts: ClassVar[tuple[Any, ...]] = (None,)
    most_queries: ClassVar[int] = 10_000

    def __init__(self, dimension: int, metric: Metric, k: int) -> None:
        self.dimension, self.metric, self.k = dimension, metric, k

    @classmethod
    def is_installed(cls) -> bool:
        return importlib.util.find_spec(cls.module) is not None

    @abstractmethod
    def build(self, rows: Any) -> None:
        """Take in (n, d) float32 rows, with one thread."""

    @abstractmethod
    def answer(self, effort: Any) -> Answer:
        """Return the way to ask one query at an effort."""

    def save(self, folder: Path) -> None:
        with (folder / "index").open("wb") as file:
            pickle.dump(self.index, file)

    def load(self, folder: Path) -> None:
        with (folder / "index").open("rb") as file:
            self.index = pickle.load(file)  # our own file

    def build_or_load(self, rows: Any, folder: Path | None) -> float:
        """Build the index, or load it with the seconds its building took when it was kept in a folder."""
        if folder and (folder / "seconds").exists():
            self.load(folder)
            return float((folder / "seconds").read_text())
        started = time.perf_counter()
        self.build(rows)
        seconds = time.perf_counter() - started
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            self.save(folder)
            (folder / "seconds").write_text(str(seconds))
        return seconds

    index: Any


class Hnswlib(Peer):
    module = "hnswlib"
    efforts = (20, 35, 50, 100, 150, 250, 400)  # ef

    def _make(self) -> Any:
        import hnswlib

        index = hnswlib.Index("l2" if self.metric == "euclidean" else "cosine", self.dimension)
        index.set_num_threads(1)
        return index

    def build(self, rows: Any) -> None:
        self.index = self._make()
        self.index.init_index(max_elements=len(rows), M=16, ef_construction=200, random_seed=0)
        self.index.add_items(rows, num_threads=1)

    def answer(self, effort: int) -> Answer:
        self.index.set_ef(effort)
        return lambda query: self.index.knn_query(query, self.k, num_threads=1)[0][0].astype(np.int64)

    def save(self, folder: Path) -> None:
        self.index.save_index(str(folder / "index"))

    def load(self, folder: Path) -> None:
        self.index = self._make()
        self.index.load_index(str(folder / "index"))
        self.index.set_num_threads(1)


class Faiss(Peer):
    """Unit rows are compared by euclidean distance: the order is that of cosine."""

    module = "faiss"

    def _make(self, faiss: Any) -> Any:
        return faiss.IndexFlatL2(self.dimension)

    def build(self, rows: Any) -> None:
        import faiss

        faiss.omp_set_num_threads(1)
        self.index = self._make(faiss)
        self.index.train(rows)
        self.index.add(rows)

    def answer(self, effort: Any) -> Answer:
        return lambda query: self.index.search(query[None], self.k)[1][0]

    def save(self, folder: Path) -> None:
        import faiss

        faiss.write_index(self.index, str(folder / "index"))

    def load(self, folder: Path) -> None:
        import faiss

        faiss.omp_set_num_threads(1)
        self.index = faiss.read_index(str(folder / "index"))


class FaissFlat(Faiss):
    most_queries = 200


class FaissHNSW(Faiss):
    efforts = (20, 35, 50, 100, 250)  # efSearch

    def _make(self, faiss: Any) -> Any:
        index = faiss.IndexHNSWFlat(self.dimension, 16)
        index.hnsw.efConstruction = 200
        return index

    def answer(self, effort: int) -> Answer:
        self.index.hnsw.efSearch = effort
        return super().answer(effort)


class FaissIVFFlat(Faiss):
    efforts = (4, 8, 16, 32, 64)  # nprobe
    most_queries = 2_000

    def _make(self, faiss: Any) -> Any:
        self._cells = faiss.IndexFlatL2(self.dimension)
        return faiss.IndexIVFFlat(self._cells, self.dimension, 256)

    def answer(self, effort: int) -> Answer:
        self.index.nprobe = effort
        return super().answer(effort)


class ScaNN(Peer):
    module = "scann"
    efforts = ((10, 60), (20, 100), (40, 100), (70, 150), (100, 250))  # leaves, rows reordered

    def build(self, rows: Any) -> None:
        import scann

        distance = "squared_l2" if self.metric == "euclidean" else "dot_product"
        builder = scann.scann_ops_pybind.builder(rows, self.k, distance)
        builder.set_n_training_threads(1)
        builder.tree(num_leaves=250, num_leaves_to_search=50, training_sample_size=len(rows))
        self.index = builder.score_ah(2, anisotropic_quantization_threshold=0.2).reorder(100).build()

    def answer(self, effort: tuple[int, int]) -> Answer:
        leaves, reordered = effort
        return lambda query: self.index.search(query, self.k, reordered, leaves)[0].astype(np.int64)

    def save(self, folder: Path) -> None:
        self.index.serialize(str(folder))

    def load(self, folder: Path) -> None:
        import scann

        self.index = scann.scann_ops_pybind.load_searcher(str(folder))


class USearch(Peer):
    module = "usearch"
    efforts = (20, 50, 100, 200)  # expansion
    most_queries = 2_000

    def _make(self) -> Any:
        from usearch.index import Index

        metric = "l2sq" if self.metric == "euclidean" else "cos"
        return Index(ndim=self.dimension, metric=metric, dtype="f32", connectivity=16, expansion_add=200)

    def build(self, rows: Any) -> None:
        self.index = self._make()
        self.index.add(np.arange(len(rows)), rows, threads=1)

    def answer(self, effort: int) -> Answer:
        self.index.expansion_search = effort
        return lambda query: self.index.search(query, self.k, threads=1).keys.astype(np.int64)

    def save(self, folder: Path) -> None:
        self.index.save(str(folder / "index"))

    def load(self, folder: Path) -> None:
        self.index = self._make()
        self.index.load(str(folder / "index"))


class Voyager(Peer):
    module = "voyager"
    efforts = (20, 50, 100, 200)  # query_ef
    most_queries = 2_000

    def build(self, rows: Any) -> None:
        import voyager

        space = voyager.Space.Euclidean if self.metric == "euclidean" else voyager.Space.Cosine
        self.index = voyager.Index(space, self.dimension, M=16, ef_construction=200, random_seed=0)
        self.index.add_items(rows, num_threads=1)

    def answer(self, effort: int) -> Answer:
        return lambda query: self.index.query(query, self.k, query_ef=effort)[0].astype(np.int64)

    def save(self, folder: Path) -> None:
        self.index.save(str(folder / "index"))

    def load(self, folder: Path) -> None:
        import voyager

        self.index = voyager.Index.load(str(folder / "index"))


class ANNOY(Peer):
    module = "annoy"
    efforts = (1_000, 3_000, 10_000, 20_000)  # search_k
    most_queries = 2_000

    def _make(self) -> Any:
        from annoy import AnnoyIndex

        return AnnoyIndex(self.dimension, "euclidean" if self.metric == "euclidean" else "angular")

    def build(self, rows: Any) -> None:
        self.index = self._make()
        self.index.set_seed(0)
        for number, row in enumerate(rows):
            self.index.add_item(number, row)
        self.index.build(50, n_jobs=1)

    def answer(self, effort: int) -> Answer:
        return lambda query: np.array(self.index.get_nns_by_vector(query, self.k, effort))

    def save(self, folder: Path) -> None:
        self.index.save(str(folder / "index"))

    def load(self, folder: Path) -> None:
        self.index = self._make()
        self.index.load(str(folder / "index"))


class PyNNDescent(Peer):
    module = "pynndescent"
    efforts = (0.0, 0.05, 0.1, 0.2)  # epsilon

    def build(self, rows: Any) -> None:
        from pynndescent import NNDescent

        metric = "euclidean" if self.metric == "euclidean" else "cosine"
        self.index = NNDescent(rows, metric, n_neighbors=30, random_state=0, n_jobs=1)
        self.index.prepare()

    def answer(self, effort: float) -> Answer:
        return lambda query: self.index.query(query[None], self.k, epsilon=effort)[0][0]


class SVS(Peer):
    """Vamana over LVQ4×8: 4 bits a dimension and 8 of what they lose. Unit rows are compared as in `Faiss`.

    It denies LVQ to other processors than Intel's: there, it is Vamana over float16.
    """

    module = "svs"
    efforts = (10, 15, 25, 50, 100)  # search window

    def build(self, rows: Any) -> None:
        import svs

        parameters = svs.VamanaBuildParameters(alpha=1.2, graph_max_degree=32, window_size=128)
        data: Any = rows.astype(np.float16)
        with tempfile.TemporaryDirectory() as folder:
            if "GenuineIntel" in Path("/proc/cpuinfo").read_text(encoding="utf-8"):
                svs.write_vecs(rows, f"{folder}/rows.fvecs")
                floats = svs.VectorDataLoader(f"{folder}/rows.fvecs", svs.DataType.float32)
                data = svs.LVQLoader(floats, primary=4, residual=8)
            self.index = svs.Vamana.build(parameters, data, svs.DistanceType.L2, num_threads=1)

    def answer(self, effort: int) -> Answer:
        self.index.search_window_size = effort
        return lambda query: self.index.search(query[None], self.k)[0][0].astype(np.int64)

    def save(self, folder: Path) -> None:
        self.index.save(*(str(folder / part) for part in ("config", "graph", "data")))

    def load(self, folder: Path) -> None:
        import svs

        data: Any = svs.VectorDataLoader(str(folder / "data"), svs.DataType.float16)
        if "GenuineIntel" in Path("/proc/cpuinfo").read_text(encoding="utf-8"):
            data = svs.LVQLoader(str(folder / "data"))
        graph = svs.GraphLoader(str(folder / "graph"))
        self.index = svs.Vamana(str(folder / "config"), graph, data, svs.DistanceType.L2, num_threads=1)


class CKDTree(Peer):
    module = "scipy"
    most_queries = 30

    def build(self, rows: Any) -> None:
        from scipy.spatial import cKDTree

        self.index = cKDTree(rows)

    def answer(self, effort: Any) -> Answer:
        return lambda query: self.index.query(query, self.k)[1]


class OurKDTree(Peer):
    module = "lookalike"
    efforts = (0.9, 0.95, 0.99, 0.999, 1.0)  # recall

    def build(self, rows: Any) -> None:
        self.index = KDTree(self.metric, n_jobs=1).build(rows)

    def answer(self, effort: float) -> Answer:
        return lambda query: self.index.search(query, self.k, recall=effort).ids[0]

    def save(self, folder: Path) -> None:
        self.index.save(folder / "index")

    def load(self, folder: Path) -> None:
        self.index = KDTree.load(folder / "index")
        self.index.n_jobs = 1


PEERS: dict[str, type[Peer]] = {
    "hnswlib": Hnswlib,
    "faiss-hnsw": FaissHNSW,
    "faiss-ivf-flat": FaissIVFFlat,
    "scann": ScaNN,
    "usearch": USearch,
    "voyager": Voyager,
    "annoy": ANNOY,
    "pynndescent": PyNNDescent,
    "svs": SVS,
    "faiss-flat": FaissFlat,
    "ckdtree": CKDTree,
    "our-kdtree": OurKDTree,
}
