"""Whether the folders of a collection say what its images show: measured when it is brought up to date.

What was found is kept in the manifest, so every command has it at no cost; see `silent_labels`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.collection.columns import FileColumns
from lookalike.collection.embedded import vector_table
from lookalike.collection.manifest_file import ManifestFile
from lookalike.collection.resources import Resources
from lookalike.evaluate.agreement import draw_sample, measure_agreement, most_images
from lookalike.store import LabelVerdict, Table
from lookalike.store.labeling import NO_LABELS
from lookalike.system.progress import Watch
from lookalike.types import Ids, Metric


def judge_labels(resources: Resources, manifest_file: ManifestFile, watch: Watch) -> None:
    """Measure the labels of roots anew where files, vectors or labels have changed; the lock is held.

    What was found is kept by the manifest file's next `save`.
    """
    snapshot = resources.snapshots.now()
    model = resources.models.get(snapshot.manifest.model)
    names = ("files.lance", f"vectors/{model.name}.lance")
    state = " ".join(
        str(snapshot.seen.tables[name].version) for name in names if name in snapshot.seen.tables
    )
    verdicts: dict[str, LabelVerdict] = {}
    for root in manifest_file.manifest.roots:
        of = f"{root.labels} {state}"
        is_known = root.verdict is not None and root.verdict.of == of
        if is_known or root.dataset is not None or root.labels == NO_LABELS or not len(snapshot.files):
            continue
        watch.say("labels", "comparing labels with what images look like")
        watch.check()
        table = vector_table(snapshot.store, model)
        verdicts[root.name] = _judge(snapshot.files, root.name, table, model.metric, of)
    if verdicts:
        manifest_file.keep_verdicts(verdicts)


def _judge(files: FileColumns, root: str, table: Table, metric: Metric, of: str) -> LabelVerdict:
    """Measure the labels of a root."""
    ids, codes = _labeled(files, root)
    n_labels = len(np.unique(codes))
    dimension = table.dimension()
    if not len(ids) or dimension is None:
        return LabelVerdict(0, n_labels, 0.0, 0.0, of)
    rows = draw_sample(codes, most_images(dimension))
    found, vectors = table.vectors_of(ids[rows].tolist())
    order = np.argsort(found)
    rows = rows[np.isin(ids[rows], found)]
    _, labels, counts = np.unique(codes[rows], return_inverse=True, return_counts=True)
    is_several = counts[labels] > 1  # others may not be embedded yet
    _, labels = np.unique(labels[is_several], return_inverse=True)
    precision, chance = measure_agreement(vectors[order][is_several], labels, metric)
    return LabelVerdict(len(labels), n_labels, round(precision, 6), round(chance, 6), of)


def _labeled(files: FileColumns, root: str) -> tuple[Ids, npt.NDArray[np.int64]]:
    """Return the labeled images of a root, by id, and their labels; of several the first in the alphabet."""
    coded = files.coded_labels
    rank = np.argsort(np.argsort(np.array(coded.values, str))) if coded.values else np.empty(0, np.int64)
    rows = np.flatnonzero(files.begin_with([f"{root}:"]) & (coded.codes >= 0))
    ids, codes = files.ids[rows], rank[coded.codes[rows]].astype(np.int64)
    order = np.lexsort((codes, ids))
    ids, codes = ids[order], codes[order]
    is_first = np.concatenate([[True], ids[1:] != ids[:-1]]) if len(ids) else np.zeros(0, bool)
    return ids[is_first], codes[is_first]
