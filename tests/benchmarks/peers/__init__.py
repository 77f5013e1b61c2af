"""The same shop as one would assemble it otherwise: plain DRF, behind a package's key check.

The models, and thus the data, are those of ``stores``; the connection to the database is set up as
ours is. Everything else is what ``startproject`` and the packages' own documentation give.
"""
