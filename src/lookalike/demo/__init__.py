"""The newcomer's first minute: real pictures, indexed, searched, grouped, measured, on one page."""

from lookalike.demo.page import write_page
from lookalike.demo.run import DemoResult, index_source, run_demo
from lookalike.demo.sources import Source, choose_source

__all__ = ["DemoResult", "Source", "choose_source", "index_source", "run_demo", "write_page"]
