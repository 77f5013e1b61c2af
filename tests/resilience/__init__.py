"""Break what is around the site, and look at what its clients see: ``make faults`` and ``make scale``.

Each fault is done to real processes while clients read and write. The commands measure all of them in one
table; the tests hold each to what it must not cost.
"""
