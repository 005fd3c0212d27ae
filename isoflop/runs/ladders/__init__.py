"""Ladders: runs that are yet to be, as data and as files."""
