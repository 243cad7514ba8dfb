"""Measurements. Each module writes what it found, and on which machine, to ``benchmarks/results``."""
