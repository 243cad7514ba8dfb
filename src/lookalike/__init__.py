"""Point it at images: it finds look-alikes, groups and duplicates."""

__version__ = "0.1.0"
