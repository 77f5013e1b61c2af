"""Keys and a trust of the demo stores, described in JSON: ages and days are counted back from now."""
