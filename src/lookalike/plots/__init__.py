"""Pictures for people: PNG, SVG, PDF or JPEG, by the file's ending."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.system.on_demand import public_names

if TYPE_CHECKING:
    from lookalike.plots.curves import Curve, distance_curve, k_curves, recall_throughput
    from lookalike.plots.differences import draw_difference
    from lookalike.plots.grid import assign_to_grid, kept_neighbors
    from lookalike.plots.groups import Groups
    from lookalike.plots.maps import images_map, points_map, read_size, tiles_map
    from lookalike.plots.measures import QueryRow, confusion, scree, worst_queries
    from lookalike.plots.sheets import SheetRow, contact_sheet
    from lookalike.plots.strips import Tile, paint_swatch, result_strip, tile_sheet
    from lookalike.plots.style import (
        ENDINGS,
        check_ending,
        check_picture,
        figure_bytes,
        gather_missing,
        save_figure,
        use_theme,
    )

__all__ = [
    "ENDINGS",
    "Curve",
    "Groups",
    "QueryRow",
    "SheetRow",
    "Tile",
    "assign_to_grid",
    "check_ending",
    "check_picture",
    "confusion",
    "contact_sheet",
    "distance_curve",
    "draw_difference",
    "figure_bytes",
    "gather_missing",
    "images_map",
    "k_curves",
    "kept_neighbors",
    "paint_swatch",
    "points_map",
    "read_size",
    "recall_throughput",
    "result_strip",
    "save_figure",
    "scree",
    "tile_sheet",
    "tiles_map",
    "use_theme",
    "worst_queries",
]

__getattr__, __dir__ = public_names(
    __name__,
    {
        "Curve": "curves",
        "ENDINGS": "style",
        "Groups": "groups",
        "QueryRow": "measures",
        "SheetRow": "sheets",
        "Tile": "strips",
        "assign_to_grid": "grid",
        "check_ending": "style",
        "check_picture": "style",
        "confusion": "measures",
        "contact_sheet": "sheets",
        "distance_curve": "curves",
        "draw_difference": "differences",
        "figure_bytes": "style",
        "gather_missing": "style",
        "images_map": "maps",
        "k_curves": "curves",
        "kept_neighbors": "grid",
        "paint_swatch": "strips",
        "points_map": "maps",
        "read_size": "maps",
        "recall_throughput": "curves",
        "result_strip": "strips",
        "save_figure": "style",
        "scree": "measures",
        "tile_sheet": "strips",
        "tiles_map": "maps",
        "use_theme": "style",
        "worst_queries": "measures",
    },
)
