"""``lookalike datasets``: the data sets that are known by name, and where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.cli.console import print_json, relative, say
from lookalike.cli.options import JsonOption

if TYPE_CHECKING:
    from lookalike.datasets import Row


def datasets(*, json: JsonOption = False) -> None:
    """List the data sets that can be indexed by name, and whether they are on this machine.

    They are looked for in the folders of $LOOKALIKE_DATA and in the cache, and downloaded if need be.
    """
    from lookalike.datasets import find_all

    found = find_all()
    if json:
        print_json(
            {
                "datasets": [
                    {
                        "name": one.row.name,
                        "title": one.row.title,
                        "images": one.row.n_images,
                        "licence": one.row.licence,
                        "homepage": one.row.homepage,
                        "path": None if one.root is None else relative(str(one.root)),
                        "download_bytes": one.row.download_bytes,
                    }
                    for one in found
                ]
            }
        )
        return
    for one in found:
        where = _absent(one.row) if one.root is None else f"in {relative(str(one.root))}"
        say(f"{one.row.name:<14} {one.row.n_images:>6,} images   {where}")


def _absent(row: Row) -> str:
    """Say how a data set that is not here would come."""
    if row.comes_with:
        return f"comes with {row.comes_with}"
    if row.download_bytes:
        return f"to be downloaded, {row.download_bytes / 1e6:,.0f} MB"
    return f"to be fetched by hand: {row.homepage}"
