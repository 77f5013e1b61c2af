"""Break what is around the site, and look at what its clients see: ``python -m tests.resilience``.

Each fault is done to real processes while clients read and write. The command measures all of them in one
table; the tests hold each to what it must not cost.
"""
