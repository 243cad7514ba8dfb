"""Which version of the reader made a row: what is read differently by now is read again, and nothing else."""

from __future__ import annotations

READER = 2
"""Raised whenever the same bytes come to give other pixels, other metadata, or are read where they were not.

1. Until format 3 of a collection: no colour profiles, no metadata.
2. Colours are managed, metadata kept; more kinds of TIFF, and files with small damage, are read.
"""
