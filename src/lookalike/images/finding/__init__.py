"""Which image files lie below a folder, in whatever spelling, on whatever disk."""
