"""What a search may start from, and which images it is about.

`terms` are the kinds of query, `reading` makes one of them of what was given plainly, and `request` holds all
that is asked; `embedding` makes one vector of the queries; `filter` says which images may be hits, `facts`
what files say of their images, `appearance` what images look like: colours, sizes, sharpness. `checking` is
the door of them all.
"""
