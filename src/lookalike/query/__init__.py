"""What a search may start from, and which images it is about.

`embedding` makes one vector of files, addresses, words and pixels; `filter` says which images may be hits,
`facts` what files say of their images, `appearance` what images look like: colours, sizes, sharpness.
"""
