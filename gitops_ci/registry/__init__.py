"""Container registries, layouts, archives and Engines: where images are read from and written to."""
