"""Trees of `trees`."""

ONE_PICTURE = ()
UNEDITED = ()
