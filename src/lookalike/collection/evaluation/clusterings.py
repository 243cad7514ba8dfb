"""How good the clusterings of a collection are, against labels where there are any."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

import numpy as np

from lookalike.collection.clusterings.describing import agreement
from lookalike.collection.evaluation.ground_truth import GroundTruth, read_ground_truth
from lookalike.collection.evaluation.image_vectors import ImageVectors
from lookalike.collection.resources import Resources
from lookalike.collection.stored.clusterings import NOISE
from lookalike.collection.stored.named_folders import read_each
from lookalike.evaluate import silhouette
from lookalike.results.evaluation import ClusteringEvaluation, ClusteringEvaluations
from lookalike.system.progress import Watch


def evaluate_clusterings(
    resources: Resources,
    names: Sequence[str] | None,
    labels: str | os.PathLike[str] | None,
    random_state: int,
    watch: Watch,
) -> ClusteringEvaluations:
    """Measure some clusterings, or all that can be read; see `Evaluations.clusterings`."""
    places = resources.places
    locations = places.of_images()
    has_labels = labels is not None or any(found[0].given_label is not None for found in locations.values())
    truth = read_ground_truth(places, locations, labels) if has_labels else None

    def measure(name: str) -> ClusteringEvaluation:
        watch.say("measuring", f"measuring the clustering {name}")
        return _evaluate(resources, name, locations, truth, random_state)

    if names is not None:
        return ClusteringEvaluations(tuple(map(measure, names)), {})
    found, damaged = read_each(resources.clusterings.names(), measure)
    return ClusteringEvaluations(tuple(found), damaged)


def _evaluate(
    resources: Resources,
    name: str,
    images: Iterable[int],
    truth: GroundTruth | None,
    random_state: int,
) -> ClusteringEvaluation:
    """Measure a clustering of the images that are still there."""
    stored = resources.clusterings.read(name)
    model = resources.model(stored.model)
    rows = ImageVectors.read(resources, model)
    kept = np.isin(stored.ids, rows.ids) & np.isin(stored.ids, list(images))
    members, numbers = stored.ids[kept], stored.clusters[kept]
    is_in = numbers != NOISE
    n_clusters = len(np.unique(numbers[is_in]))
    labels = [truth.labels.get(image) if truth else None for image in members.tolist()]
    return ClusteringEvaluation(
        name=stored.name,
        model=stored.model,
        algorithm=stored.algorithm,
        n_images=len(members),
        n_clusters=n_clusters,
        noise=float((~is_in).mean()) if len(members) else 0.0,
        scores=agreement(numbers, labels),
        silhouette=silhouette(rows.of(members), numbers, model.metric, random_state=random_state)
        if 2 <= n_clusters < is_in.sum()
        else None,
    )
