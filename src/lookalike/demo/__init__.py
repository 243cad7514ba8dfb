"""The newcomer's first minute: real pictures, indexed, searched, on one page."""

from lookalike.demo.page import write_page
from lookalike.demo.run import DemoResult, run_demo
from lookalike.demo.sources import Source, choose_source

__all__ = ["DemoResult", "Source", "choose_source", "run_demo", "write_page"]
