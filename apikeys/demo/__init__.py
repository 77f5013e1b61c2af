"""Keys of the demo stores, described in ``keys.json``: ages and days are counted back from now."""
