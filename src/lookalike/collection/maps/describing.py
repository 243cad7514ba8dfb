"""What is on a map of the images that are there now."""

from __future__ import annotations

import numpy as np

from lookalike.collection.places import make_hit
from lookalike.collection.resources import Resources
from lookalike.collection.stored.maps import StoredMap
from lookalike.embed import Model
from lookalike.results.maps import ImageMap
from lookalike.types import ImageId


def describe_map(resources: Resources, stored: StoredMap, model: Model) -> ImageMap:
    """Say where on a map the images are that are there now."""
    locations, lookup = resources.places.of_images(), resources.places.lookup()
    embedded = resources.embedded_of(locations, model)
    kept = np.isin(stored.ids, embedded)
    return ImageMap(
        name=stored.name,
        model=stored.model,
        method=stored.method,
        metric=model.metric,
        perplexity=stored.perplexity,
        parameters=stored.parameters,
        figures=stored.figures,
        random_state=stored.random_state,
        made=stored.made,
        images=tuple(
            make_hit(0, ImageId(image), 0.0, None, locations[image], lookup)
            for image in stored.ids[kept].tolist()
        ),
        points=stored.points[kept],
        is_placed=stored.is_placed[kept],
        n_unplaced=int((~np.isin(embedded, stored.ids)).sum()),
        lookup=lookup,
    )


def read_map(resources: Resources, name: str) -> ImageMap:
    """Return a map that is kept; see `Maps.get`."""
    stored = resources.maps.read(name)
    return describe_map(resources, stored, resources.model(stored.model))
