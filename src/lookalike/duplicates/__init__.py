"""Pictures that are there twice: found by hashes and neighbors, proved by laying one on the other."""
