"""Copies of a process that has computed: each call works there, or says at once that it cannot."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="what a copy does is read in /proc"
)

PROGRAM = """
import json, os, signal, sys, time, warnings
import numpy as np
warnings.simplefilter("ignore")  # Python and Lance warn of forks
from lookalike import Collection, LookalikeError, PCA
from lookalike.cluster import DBSCAN, HDBSCAN, AgglomerativeClustering, KMeans, SpectralClustering, choose_k
from lookalike.embed import load_model
from lookalike.evaluate.clusterings import silhouette
from lookalike.index import Exact, KMeansTree, KDTree, neighbor_graph
from lookalike.projection import project

X = np.random.default_rng(0).normal(size=(600, 8)).astype(np.float32)
photos, home = sys.argv[1:]

def embed():
    model = load_model("lite0-int8")
    return model.embed(np.zeros((2, model.model.size, model.model.size, 3), np.uint8))

def sync():
    collection = Collection.create(f"{home}/{os.getpid()}", "pixels-8-grey", with_root=False)
    collection.add_root(photos)
    collection.sync()
    collection.clusterings.make("spectral", k=2)
    collection.search(color="red")
    return collection

DO = {
    "k-means": lambda: KMeans(5).fit(X),
    "dbscan": lambda: DBSCAN(1.0).fit(X),
    "hdbscan": lambda: HDBSCAN().fit(X),
    "agglomerative": lambda: AgglomerativeClustering(5).fit(X),
    "spectral": lambda: SpectralClustering(5).fit(X),
    "choose k": lambda: choose_k(X, [2, 3]),
    "silhouette": lambda: silhouette(X, np.arange(600) % 3),
    "exact": lambda: Exact("euclidean").build(X).search(X, 5),
    "tree": lambda: KMeansTree("euclidean").build(X).search(X, 5),
    "kd-tree": lambda: KDTree("euclidean").build(X).search(X, 5),
    "graph": lambda: neighbor_graph(X, 5, "euclidean"),
    "t-sne": lambda: project(X[:300], "tsne"),
    "pca": lambda: PCA(4).fit(X),
    "embed": embed,
    "sync": sync,
}

def in_a_copy(do):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        try:
            do()
            said = "works"
        except LookalikeError as error:
            said = f"says: {error}"
        except BaseException as error:
            said = repr(error)
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    used, idle = 0, time.monotonic()
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        state, *facts = open(f"/proc/{child}/stat").read().rpartition(")")[2].split()
        now = int(facts[10]) + int(facts[11])
        if now != used or state != "S":
            used, idle = now, time.monotonic()
        if time.monotonic() - idle > 8:  # asleep all the time
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return "hangs"
        time.sleep(0.02)
    with os.fdopen(reading) as stream:
        return stream.read() or "died"

in_parent, in_copies = (line.split(",") for line in sys.stdin.read().splitlines())
for name in in_parent:
    DO[name]()
print(json.dumps({name: in_a_copy(DO[name]) for name in in_copies}))
"""


def in_copies_after(folder, home, names, copies):
    """Return what becomes of `copies`, each in a copy of a process that has done `names`."""
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), str(home)],
        input=f"{','.join(names)}\n{','.join(copies)}",
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return json.loads(run.stdout)


def test_what_computes_works_in_a_copy_of_a_process_that_has_computed(photos, tmp_path):
    names = ["k-means", "hdbscan", "spectral", "exact", "tree", "t-sne", "embed"]
    copies = [*names, "dbscan", "agglomerative", "choose k", "silhouette", "kd-tree", "graph", "pca", "sync"]
    assert in_copies_after(photos, tmp_path, names, copies) == dict.fromkeys(copies, "works")


def test_what_reads_tables_says_so_in_a_copy_of_a_process_that_has_read_some(photos, tmp_path):
    found = in_copies_after(photos, tmp_path, ["sync"], ["sync", "k-means", "spectral", "embed"])
    assert found.pop("sync").startswith("says: ")
    assert found == dict.fromkeys(found, "works")


def test_a_fork_that_reads_nothing_is_not_warned_of(photos):
    program = """
import os, sys
from lookalike import Collection
collection = Collection.create(sys.argv[1], "pixels-8-grey")
collection.sync(jobs=1)
if os.fork() == 0:
    os.execlp("true", "true")
os.wait()
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program, photos],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
