"""Weights on disk: to go on from, to begin with, to keep."""
