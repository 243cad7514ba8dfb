"""Colour management: which colour space a file says that it is in, and from there to sRGB."""
