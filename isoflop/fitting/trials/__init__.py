"""Laws put to the test: hidden runs, rolling origins, breaks, comparisons."""
