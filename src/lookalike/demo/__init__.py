"""The newcomer's first minute: real pictures, indexed, searched, grouped, measured, on one page."""

from lookalike.demo.page import check_page, write_page
from lookalike.demo.run import DemoResult, Indexed, index_source, run_demo
from lookalike.demo.sources import Source, choose_source

__all__ = [
    "DemoResult",
    "Indexed",
    "Source",
    "check_page",
    "choose_source",
    "index_source",
    "run_demo",
    "write_page",
]
