"""What lies around the program: the cache, cores, memory, files, downloads, and numbers in words."""
