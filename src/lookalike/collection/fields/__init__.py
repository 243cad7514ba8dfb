"""What a user says of images in columns of his own: set, read from tables, renamed, taken away."""
