"""The ways to make a map, as a table. To add one, add a row, and a file that projects.

Nothing heavy is imported here, so that a help text or an error can say at once what there is.
"""

from __future__ import annotations

from dataclasses import dataclass

from lookalike.system.rows import find_row, names_of

PERPLEXITY = 30.0
"""About how many neighbours count as near for t-SNE, where nobody says and there are enough."""


@dataclass(frozen=True, slots=True)
class MapMethod:
    """One way to make a map.

    Attributes
    ----------
    name, title : str
        What users type, and what it is called.
    project : str
        ``module:function`` that makes one: rows, (n, d) float32, checked, and a `ProjectionRequest` to a
        `Projection`.
    place : str
        ``module:function`` that places new rows on one: new rows, (m, d), the rows that it was made of,
        (n, d), its `Projection`, the metric and a `Watch` to (m, 2) float32.
    places_alone : bool
        Whether it places new rows without those that the map was made of.
    takes_perplexity : bool
    extra : str
        What has to be installed for it, as in ``pip install 'lookalike[umap]'``; empty if nothing.
    """

    name: str
    title: str
    project: str
    place: str = "lookalike.projection.placing:place"
    places_alone: bool = False
    takes_perplexity: bool = False
    extra: str = ""


MAP_METHODS: tuple[MapMethod, ...] = (
    MapMethod("tsne", "t-SNE", "lookalike.projection.tsne:project", takes_perplexity=True),
    MapMethod(
        "pca",
        "PCA",
        "lookalike.projection.pca:project",
        place="lookalike.projection.pca:place",
        places_alone=True,
    ),
    MapMethod("umap", "UMAP", "lookalike.projection.umap:project", extra="umap"),
)
"""The usual one first."""

DEFAULT_METHOD = MAP_METHODS[0].name
"""The way to make a map where none is named."""


def method_names() -> tuple[str, ...]:
    """Return the names of all ways to make a map, the usual one first."""
    return names_of(MAP_METHODS)


def get_method(name: str) -> MapMethod:
    """Return the row of a way to make a map.

    Raises
    ------
    InvalidInputError
        If there is none of that name.
    """
    return find_row(MAP_METHODS, name, f"there is no method {name!r}")
