"""Published constants, one file a paper; `isoflop.laws.catalog` is the way in."""
