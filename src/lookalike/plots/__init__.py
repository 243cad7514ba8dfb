"""Pictures for people: PNG, SVG, PDF or JPEG, by the file's ending."""

from lookalike.plots.curves import Curve, distance_curve, k_curves, recall_throughput
from lookalike.plots.measures import QueryRow, confusion, scree, worst_queries
from lookalike.plots.sheets import SheetRow, contact_sheet
from lookalike.plots.strips import Tile, paint_swatch, result_strip
from lookalike.plots.style import ENDINGS, check_ending, save_figure, use_theme

__all__ = [
    "ENDINGS",
    "Curve",
    "QueryRow",
    "SheetRow",
    "Tile",
    "check_ending",
    "confusion",
    "contact_sheet",
    "distance_curve",
    "k_curves",
    "paint_swatch",
    "recall_throughput",
    "result_strip",
    "save_figure",
    "scree",
    "use_theme",
    "worst_queries",
]
