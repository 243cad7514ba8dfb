"""Results for other programs: tables, vectors, annotations, folders of images."""
