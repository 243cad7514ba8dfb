"""``python -m benchmarks [NAME...]``: run all benchmarks, or those named; or one, with options."""

from __future__ import annotations

import importlib
import sys

NAMES = (
    "start_up",
    "indexing",
    "adding",
    "photos",
    "memory",
    "colour",
    "fastdup",
    "features",
    "depths",
    "kmeans_tree",
    "kmeans",
    "kmeans_large",
    "clustering_memory",
    "asked_recall",
    "said",
    "registration",
    "regions",
    "sureness",
    "million",
    "density",
    "clusterings",
    "tsne",
    "labels",
    "thorough",
    "words",
)
NAMED = (  # only when they are named
    "duplicates",  # folders that are made for it
    "duplicates_fit",  # likewise; writes what it fits
    "long_run",  # minutes, and ends with 1 if anything is wrong
    "million_crops",  # an hour, and a folder
    "duplicates_cost",  # indexed folders, and half an hour for the million
    "autoencoder",  # hours, and torch
    "finetune",  # likewise
    "finetuned_int8",  # minutes, and torch
    "stays_open",  # a machine at rest
    "beside_others",  # likewise
    "decoding_costs",  # ends with 1 where a picture takes more than is reckoned
    "first_use",  # as long as commands that compile when they are used
    "version_before",  # a checkout of that version
    "durability",  # likewise
    "kernels_before",  # likewise
    "browse",  # likewise
    "warm_search",  # likewise
)

if __name__ == "__main__":
    first = next((i for i, word in enumerate(sys.argv) if i and word.startswith("-")), len(sys.argv))
    names, options = sys.argv[1:first], sys.argv[first:]
    if not names and options in (["--help"], ["-h"]):
        print(f"{__doc__}\n\n{', '.join(NAMES)}; only when named: {', '.join(NAMED)}")
        sys.exit()
    if options and len(names) != 1:
        sys.exit("options belong to one benchmark: name it before them")
    for name in names or NAMES:
        if name not in (*NAMES, *NAMED):
            sys.exit(f"there is no benchmark {name!r}; there are: {', '.join((*NAMES, *NAMED))}")
        importlib.import_module(f"benchmarks.{name}").main(*([options] if options else []))
