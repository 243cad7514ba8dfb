"""Compares the images of a collection with one another: those that are new with all others.

In order: hashes are made of the stored thumbnails; candidates are looked for, by hashes and by nearest
vectors; each pair of them is laid one on the other; at last the members of each group on
its keeper, where that was not done yet. After some thousand pairs what was found is kept, with how many pairs
are done, in one stroke: who is cut off goes on from there. Images count as compared once all their pairs are
done. What has left the collection counts as not compared, should it come back: others may have come
meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from lookalike.collection.columns import are_in
from lookalike.collection.duplicates.asked import GroupsRequest
from lookalike.collection.duplicates.completing import complete
from lookalike.collection.duplicates.neighbors import nearest_of
from lookalike.collection.embedded import Embedded
from lookalike.collection.resources import Opener, Resources
from lookalike.collection.stored.duplicates import (
    CANDIDATE,
    COMPARED,
    HASHES,
    NEW,
    Rows,
    Run,
    StoredDuplicates,
)
from lookalike.collection.thumbnails import thumbnails
from lookalike.duplicates.candidates import Candidates, Neighbors, find_candidates
from lookalike.duplicates.evidence import EVIDENCE, Evidence
from lookalike.duplicates.hashing import turned_hashes
from lookalike.duplicates.matching import Matching
from lookalike.embed import Model
from lookalike.errors import CancelledError, LookalikeError
from lookalike.results.duplicates import DuplicatesReport
from lookalike.results.sync import Failure
from lookalike.system.cores import usable_cores
from lookalike.system.progress import Progress, Watch
from lookalike.types import Ids

_HASHED_AT_ONCE = 512  # images whose thumbnails are in memory
_KEPT_AFTER = 16_384  # images whose hashes are kept at once
_PAIRS_AT_ONCE = 8_192  # compared between two writings: some seconds
_GONE = 0.01  # the share of images that are gone from which what is kept of them is taken away
_NONE = -1


@dataclass(slots=True)
class _Done:
    """What was done so far."""

    n_new: int = 0
    n_pairs: int = 0
    n_left_out: int = 0
    failures: dict[int, str] = field(default_factory=dict)
    anew: tuple[str, ...] = ()


def find(newest: Opener, watch: Watch) -> DuplicatesReport:
    """Compare what is new; see `Duplicates.find`."""
    started = time.monotonic()
    resources = newest()
    stored = StoredDuplicates(resources.store.folder)
    finding = Finding(resources, stored, watch)
    if finding.is_due:
        with stored.lock("comparing images", watch):
            finding = Finding(newest(), stored, watch)  # others may have been waited for
            finding.run()
        complete(finding.resources, GroupsRequest.of(), watch)
    done = finding.done
    snapshot = finding.resources.places.snapshot
    return DuplicatesReport(
        n_images=len(finding.there),
        n_new=done.n_new,
        n_pairs=done.n_pairs,
        n_left_out=done.n_left_out,
        failures=tuple(
            Failure(
                snapshot.absolute(snapshot.files.path(int(snapshot.files.rows_of([image])[0])), image), reason
            )
            for image, reason in sorted(done.failures.items())
        ),
        seconds=time.monotonic() - started,
        anew=done.anew,
    )


class Finding:
    """A comparison, of one state of a collection.

    Attributes
    ----------
    there : (n,) int64
        The images that lie anywhere, rising.
    done : _Done
    """

    def __init__(self, resources: Resources, stored: StoredDuplicates, watch: Watch) -> None:
        self.resources, self._stored, self._watch = resources, stored, watch
        self.done = _Done()
        self.there = images_there(resources)
        self._model, self._embedded = _vectors_of(resources)
        self._facts, rows = stored.with_rows("hashes", "compared")
        self.done.anew = tuple(f"{flaw.file}: {flaw.reason}" for flaw in self._facts.flaws)
        self._hashes, self._compared = rows["hashes"], rows["compared"]

    @property
    def is_due(self) -> bool:
        """Whether there is anything to be done."""
        return bool(self._facts.run or self._facts.flaws or len(self._new()))

    def _new(self) -> Ids:
        """Return the images that are to be compared: rising."""
        compared = self._compared
        is_done = compared["model"] != _NONE
        if self._embedded is None:
            is_done[:] = True
        else:  # those that had no vector then, and have one now, find others by it
            is_done |= ~are_in(np.ascontiguousarray(compared["id"]), self._embedded.ids)
        found: Ids = np.setdiff1d(self.there, compared["id"][is_done])
        return found

    def run(self) -> None:
        """Do what is to be done, and keep it."""
        self._facts = replace(self._facts, flaws=())
        self._hash()
        if self._facts.run is not None:
            self._go_on()
        new = self._new()
        new = new[are_in(new, self._hashed())]
        if len(new):
            self._begin(new)
            self._go_on()
        self._sweep()

    # Hashes ------------------------------------------------------------------------------------------------

    def _hashed(self) -> Ids:
        """Return the images that have hashes, rising."""
        found: Ids = np.unique(self._hashes["id"])
        return found

    def _hash(self) -> None:
        """Make the hashes of images that have none."""
        missing = np.setdiff1d(self.there, self._hashes["id"])
        store, n = self.resources.store, len(missing)
        made: list[Rows] = []
        with ThreadPoolExecutor(usable_cores()) as pool:
            for start in range(0, n, _HASHED_AT_ONCE):
                self._watch(Progress("hashing", start, n, "hashing thumbnails", unit="images"))
                some = missing[start : start + _HASHED_AT_ONCE].tolist()
                jpegs = thumbnails(store, some)
                found = list(pool.map(_hashes_of, (jpegs.get(image) for image in some)))
                rows = np.empty(len(some), HASHES)
                rows["id"] = some
                is_made = np.array([not isinstance(each, str) for each in found], bool)
                for row, (image, each) in enumerate(zip(some, found, strict=True)):
                    if isinstance(each, str):
                        self.done.failures[image] = each
                    else:
                        rows["hashes"][row] = each
                made.append(rows[is_made])
                if sum(map(len, made)) >= _KEPT_AFTER:
                    self._keep_hashes(made)
                    made = []
        if made:
            self._keep_hashes(made)

    def _keep_hashes(self, made: list[Rows]) -> None:
        self._facts = self._stored.write(self._facts, more={"hashes": np.concatenate(made)})
        self._hashes = self._stored.rows(self._facts, "hashes")

    # Pairs -------------------------------------------------------------------------------------------------

    def _begin(self, new: Ids) -> None:
        """Look for the candidates of new images, and keep what is to be done."""
        hashes = self._hashes[are_in(np.ascontiguousarray(self._hashes["id"]), self.there)]
        hashes = hashes[np.argsort(hashes["id"], kind="stable")]
        ids = np.ascontiguousarray(hashes["id"])
        neighbors: Neighbors = _no_neighbors
        if self._model is not None and self._embedded is not None:
            neighbors = nearest_of(self.resources, self._model, ids, self._watch)
        found = find_candidates(
            np.ascontiguousarray(hashes["hashes"]), are_in(ids, new), neighbors, watch=self._watch
        )
        rows = np.empty(len(found.a), CANDIDATE)
        rows["a"], rows["b"] = ids[found.a], ids[found.b]
        rows["turn"], rows["closeness"] = found.turn, found.closeness
        run = Run("" if self._model is None else self._model.name, 0, found.n_left_out)
        listed = new.astype(np.int64).view(NEW)
        self._facts = self._stored.write(
            replace(self._facts, run=run), new={"new": listed, "candidates": rows} | self._without_old(new)
        )

    def _without_old(self, new: Ids) -> dict[str, Rows]:
        """Return what is left of earlier evidence, where it is about images that are compared anew."""
        found = {}
        for kind in ("evidence", "unlike"):
            rows = self._stored.rows(self._facts, kind)
            is_old = are_in(np.ascontiguousarray(rows["a"]), new) | are_in(
                np.ascontiguousarray(rows["b"]), new
            )
            if is_old.any():
                found[kind] = rows[~is_old]
        return found

    def _go_on(self) -> None:
        """Compare the candidates that are left, and note that their images are compared."""
        run = self._facts.run or Run()
        candidates = self._stored.rows(self._facts, "candidates")
        new = np.ascontiguousarray(self._stored.rows(self._facts, "new")["id"])
        self.done.n_left_out += run.n_left_out
        n = len(candidates)
        found: list[Evidence] = []
        matching = Matching(self._thumbnails, found.append, usable_cores())
        for start in range(run.done, n, _PAIRS_AT_ONCE):
            rows = candidates[start : start + _PAIRS_AT_ONCE]
            self._lay(rows, matching, Watch(partial(self._tell, start, n), self._watch.cancel))
            run = replace(run, done=min(n, start + _PAIRS_AT_ONCE))
            evidence = np.concatenate([np.empty(0, EVIDENCE), *found])
            self._facts = self._stored.write(replace(self._facts, run=run), more={"evidence": evidence})
            self.done.n_pairs += len(evidence)
            found.clear()
        self._note_compared(new[are_in(new, self.there)], run.model)

    def _tell(self, start: int, total: int, progress: Progress) -> None:
        done = min(start + progress.done, total)
        self._watch(Progress("comparing", done, total, "comparing pairs", unit="pairs"))

    def _lay(self, rows: Rows, matching: Matching, watch: Watch) -> None:
        """Compare some candidates, but for those of images that are gone."""
        is_there = are_in(np.ascontiguousarray(rows["a"]), self.there)
        is_there &= are_in(np.ascontiguousarray(rows["b"]), self.there)
        rows = rows[is_there]
        ids: Ids = np.unique(np.concatenate([rows["a"], rows["b"]]))
        at = [np.searchsorted(ids, rows[side]) for side in "ab"]
        matching.match(ids, Candidates(at[0], at[1], rows["turn"], rows["closeness"], 0), watch)

    def _thumbnails(self, images: Sequence[int]) -> dict[int, bytes]:
        return {int(image): jpeg for image, jpeg in thumbnails(self.resources.store, images).items()}

    def _note_compared(self, new: Ids, model: str) -> None:
        """Note that images are compared, and end the run."""
        models = self._facts.models
        if model and model not in models:
            models = (*models, model)
        rows = np.empty(len(new), COMPARED)
        rows["id"], rows["model"] = new, _NONE
        if model and self._embedded is not None:
            rows["model"][are_in(new, self._embedded.ids)] = models.index(model)
        old = self._compared
        is_kept = are_in(np.ascontiguousarray(old["id"]), np.setdiff1d(self.there, new))
        compared = np.concatenate([old[is_kept], rows])
        compared = compared[np.argsort(compared["id"], kind="stable")]
        self._facts = self._stored.write(
            replace(self._facts.without("new", "candidates"), run=None, models=models),
            new={"compared": compared},
        )
        self._compared = compared
        self.done.n_new += len(new)

    def _sweep(self) -> None:
        """Take away what is kept of images that are gone, once these are many."""
        hashed = np.ascontiguousarray(self._hashes["id"])
        is_there = are_in(hashed, self.there)
        if len(hashed) - int(is_there.sum()) <= _GONE * len(hashed):
            return
        left: dict[str, Rows] = {"hashes": self._hashes[is_there]}
        for kind in ("evidence", "unlike"):
            rows = self._stored.rows(self._facts, kind)
            sides = [are_in(np.ascontiguousarray(rows[side]), self.there) for side in "ab"]
            left[kind] = rows[sides[0] & sides[1]]
        self._facts = self._stored.write(self._facts, new=left)
        self._hashes = self._stored.rows(self._facts, "hashes")


def images_there(resources: Resources) -> Ids:
    """Return the images of a collection that lie anywhere, and are known: rising."""
    snapshot = resources.places.snapshot
    found: Ids = snapshot.images.ids[snapshot.joined.is_there]
    return found


def _vectors_of(resources: Resources) -> tuple[Model | None, Embedded | None]:
    """Return the collection's own model, and the images that it has embedded; None if there are none."""
    try:
        model = resources.model(None)
        embedded = resources.embedded(model)
    except CancelledError:
        raise
    except LookalikeError:  # hashes alone find most
        return None, None
    return (model, embedded) if len(embedded) else (None, None)


def _no_neighbors(rows: npt.NDArray[np.intp]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]:
    return np.full((len(rows), 2), _NONE, np.intp), np.zeros((len(rows), 2), np.float32)


def _hashes_of(jpeg: bytes | None) -> npt.NDArray[np.uint64] | str:
    """Return the hashes of a thumbnail; or what is wrong with it."""
    if jpeg is None:
        return "its thumbnail is missing"
    try:
        return turned_hashes(jpeg)
    except OSError as error:
        return f"its thumbnail cannot be read: {error}"
