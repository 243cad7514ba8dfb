"""What people say of images: taken from them, kept, listed, undone, carried over, handed on."""
