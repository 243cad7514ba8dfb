"""What reads a kind of file that Pillow does not, or not wholly: the rows of `images.formats` name them."""
