"""This product as it is in production, with a view added that does nothing, to tell what a key costs."""
