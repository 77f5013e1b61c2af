"""What a user would otherwise assemble: the same shop served by plain DRF, behind each of four doors.

The models, and thus the data, are those of ``stores``; the connection to the database is set up as
ours is. Everything else is what ``startproject`` and the packages' own documentation give.
"""
