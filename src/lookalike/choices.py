"""What may be chosen by name, known without loading what is named: the command line's help comes at once."""

from __future__ import annotations

ALGORITHMS = {
    "kmeans": ("k",),
    "hierarchical": ("k",),
    "dbscan": ("eps", "min_samples"),
    "hdbscan": ("min_cluster_size", "min_samples"),
    "spectral": ("k",),
    "agglomerative": ("k",),
}
"""Ways to cluster, and what each takes."""

TABLES = ("csv", "json")
"""Forms of an export that are one file."""

METHOD_TITLES = {"tsne": "t-SNE", "pca": "PCA", "umap": "UMAP"}
"""Ways to make a map, the usual one first, and what they are called."""

METHODS = tuple(METHOD_TITLES)

STYLES = ("points", "images", "tiles")
"""Ways to draw one."""

FORMS = (*TABLES, "copy", "hardlink", "symlink")
"""All forms of an export; those that are no file are folders of images."""
